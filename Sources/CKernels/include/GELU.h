#ifndef CKERNELS_GELU_H
#define CKERNELS_GELU_H

#include <stddef.h>

// values[rows, columns] (rows `stride` apart) = gelu(values + bias[columns]); columns % 16 == 0.
void kernels_add_gelu(
    float *values, size_t stride, const float *bias, size_t rows, size_t columns);

#endif
