#ifndef LAYERNORM_H
#define LAYERNORM_H

#include <stddef.h>

// x[rows, columns] = (s - mean(s)) / √(var(s) + epsilon) · gain + shift over each row of
// s = x + bias + residual. `residual` must not overlap x.
void ck_residual_layer_norm(float *x, const float *bias, const float *residual, const float *gain,
                            const float *shift, float epsilon, size_t rows, size_t columns);

#endif
