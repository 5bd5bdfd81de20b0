#ifndef CKERNELS_ADD_LAYER_NORM_H
#define CKERNELS_ADD_LAYER_NORM_H

#include <stddef.h>

// hidden[rows, columns] = norm(hidden + addend[rows, columns] + bias[columns]) · gain + shift;
// columns % 32 == 0.
void kernels_add_layer_norm(
    float *hidden, const float *addend, const float *bias, const float *gain, const float *shift,
    float epsilon, size_t rows, size_t columns);

#endif
