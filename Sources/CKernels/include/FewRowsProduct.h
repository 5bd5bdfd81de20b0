#ifndef CKERNELS_FEW_ROWS_PRODUCT_H
#define CKERNELS_FEW_ROWS_PRODUCT_H

#include <stddef.h>

// output[m, n] = a[m, k] · b[n, k]ᵀ; rows lie `*_stride` floats apart.
void kernels_few_rows_product(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
    size_t output_stride, size_t m, size_t n, size_t k);

#endif
