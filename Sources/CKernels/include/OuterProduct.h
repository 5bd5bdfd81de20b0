#ifndef CKERNELS_OUTER_PRODUCT_H
#define CKERNELS_OUTER_PRODUCT_H

#include <stddef.h>

// output[i, j] = Σ a[i · a_row + d · a_depth] · b[d, j] over d < depth. The two strides of a make
// it a · b or aᵀ · b. Rows of b and output lie `b_stride` and `row_stride` floats apart; columns %
// 32 == 0.
void kernels_outer_product(
    const float *a, size_t a_row, size_t a_depth, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t rows, size_t columns, size_t depth);

#endif
