#ifndef CKERNELS_PACKED_PRODUCT_H
#define CKERNELS_PACKED_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>

// Rows of a weight that lie together in its packed form.
#define KERNELS_PACKED_ROWS 6

// Rows of x are packed in multiples of the level's vectors, filled up with zeros; this many rows is
// a multiple at every level.
#define KERNELS_PANEL_ROWS 16

// panels = x[rows, depth], rows `stride` floats apart, in the order in which kernels_packed_product
// reads as many rows at the same level. At most 16 · ceil(rows / 16) · depth floats are written.
void kernels_pack_rows(const float *x, size_t stride, size_t rows, size_t depth, float *panels);

// output[i · row_stride + j · column_stride] = or += Σ x[i, d] · weight[j, d] over d < depth, for
// i < rows and j < columns; one of the strides is 1. Six rows of weight interleave,
// packed[columns / 6, depth, 6], and these sixes lie `six_stride` floats apart. If row_stride is 1,
// output needs room for 16 · ceil(rows / 16) rows; those after the last may be overwritten.
//
// Every element is summed in one order, whatever the number of rows.
void kernels_packed_product(
    const float *panels, const float *packed, size_t six_stride, float *output, size_t row_stride,
    size_t column_stride, size_t rows, size_t columns, size_t depth, bool adds);

#endif
