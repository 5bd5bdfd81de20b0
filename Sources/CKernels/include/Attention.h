#ifndef CKERNELS_ATTENTION_H
#define CKERNELS_ATTENTION_H

#include <stddef.h>

// Columns of one attention head, the only size these kernels know.
#define KERNELS_HEAD 32

// Rows of scores that the caller lends, each of `length` rounded up to a multiple of 16.
#define KERNELS_SCORE_ROWS 6

// One sequence through `heads` heads: query[length, 32·heads] becomes the context. Rows of query
// and values lie `stride` apart; keys are transposed, [32·heads, length], rows `key_stride` apart,
// and readable for 16 floats past the last.
void kernels_attention(
    float *query, const float *keys, const float *values, size_t stride, size_t key_stride,
    const float *query_bias, const float *value_bias, size_t heads, size_t length, float *scores);

#endif
