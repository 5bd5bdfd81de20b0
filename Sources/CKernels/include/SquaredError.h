#ifndef CKERNELS_SQUARED_ERROR_H
#define CKERNELS_SQUARED_ERROR_H

#include <stddef.h>

// *sum = Σ (y - target)² over [rows, columns], rows `stride` floats apart;
// d_y = factor · (y - target) if d_y is not NULL.
void kernels_squared_error(
    double *sum, float *d_y, const float *y, const float *target, float factor, size_t stride,
    size_t rows,
    size_t columns);

#endif
