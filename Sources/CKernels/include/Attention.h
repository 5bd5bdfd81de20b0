#ifndef ATTENTION_H
#define ATTENTION_H

#include <stddef.h>

// Scaled dot-product attention of one sequence, all heads. The rows of the four matrices are
// `heads * width` long; a head's part of a row is `width` long.
//
// context[tokens, hidden] = softmax((q + q_bias) · (k + k_bias)ᵀ / √width) · v + v_bias, head by head.
// scratch holds width * padded + 4 * padded floats, padded = ck_attention_padded(tokens).
void ck_attention(const float *q, const float *k, const float *v, const float *q_bias,
                  const float *k_bias, const float *v_bias, float *context, float *scratch,
                  size_t tokens, size_t heads);

// A row of scores, rounded up to whole vectors.
size_t ck_attention_padded(size_t tokens);

#endif
