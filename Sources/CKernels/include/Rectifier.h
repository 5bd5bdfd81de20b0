#ifndef CKERNELS_RECTIFIER_H
#define CKERNELS_RECTIFIER_H

#include <stdbool.h>
#include <stddef.h>

// The rows of every matrix with a `stride` lie that many floats apart.

// x[rows, columns] += bias[columns], then max(x, 0) if `rectify`.
void kernels_add_bias(
    float *x, size_t stride, const float *bias, bool rectify, size_t rows, size_t columns);

// x[rows, columns] += bias[rows], then max(x, 0) if `rectify`.
void kernels_add_row_bias(
    float *x, size_t stride, const float *bias, bool rectify, size_t rows, size_t columns);

// y[rows, columns] = a + b + bias[rows], then max(y, 0) if `rectify`; all are dense.
void kernels_add_row_bias_to_parts(
    float *y, const float *a, const float *b, const float *bias, bool rectify, size_t rows,
    size_t columns);

// d_x = a + b if y, the rectifier's result in the forward pass, is above 0; else 0.
void kernels_rectifier_backward(
    float *d_x, const float *a, const float *b, const float *y, size_t stride, size_t rows,
    size_t columns);

// sums[columns] = the column sums of x[rows, columns]: the backward pass of an added bias.
void kernels_column_sums(
    float *sums, const float *x, size_t stride, size_t rows, size_t columns);

#endif
