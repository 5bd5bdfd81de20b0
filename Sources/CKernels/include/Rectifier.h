#ifndef RECTIFIER_H
#define RECTIFIER_H

#include <stdbool.h>
#include <stddef.h>

// x[rows, columns] += bias[columns], then max(x, 0) where `rectify`.
void ck_bias_rectifier(float *x, const float *bias, bool rectify, size_t rows, size_t columns);

// Backward of the above: d_x = 0 where y = 0 (the forward result), d_bias[columns] = column sums of d_x.
void ck_bias_rectifier_backward(float *d_x, const float *y, float *d_bias, bool rectify, size_t rows,
                                size_t columns);

#endif
