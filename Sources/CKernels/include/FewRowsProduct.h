#ifndef CKERNELS_FEW_ROWS_PRODUCT_H
#define CKERNELS_FEW_ROWS_PRODUCT_H

#include <stddef.h>

// output[i · row_stride + j · column_stride] = Σ a[i, d] · b[j, d] over d < k, for i < m and j < n;
// made for few rows of a and many of b. Rows of a and b lie `a_stride` and `b_stride` floats apart.
void kernels_few_rows_product(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t column_stride, size_t m, size_t n, size_t k);

#endif
