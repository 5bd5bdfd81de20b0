#ifndef GELU_H
#define GELU_H

#include <stddef.h>

// x[rows, columns] = GELU(x + bias[columns]), GELU(v) = v/2 · (1 + erf(v/√2)).
void ck_bias_gelu(float *x, const float *bias, size_t rows, size_t columns);

#endif
