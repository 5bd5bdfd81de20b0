#ifndef CKERNELS_TRANSPOSE_H
#define CKERNELS_TRANSPOSE_H

#include <stddef.h>

// y[columns, rows] = x[rows, columns]ᵀ; rows of x lie `x_stride` floats apart, those of y
// `y_stride`.
void kernels_transpose(
    const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows, size_t columns);

#endif
