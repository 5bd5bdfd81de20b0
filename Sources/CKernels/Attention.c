#include "include/Attention.h"
#include "Dispatch.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { width = 32, block = 4 };

size_t ck_attention_padded(size_t tokens) { return (tokens + 15) / 16 * 16; }

// e^x for x ≤ 0 as 2^n · e^r, |r| ≤ ln 2 / 2, e^r by a polynomial of degree 6 (Chebyshev interpolation, relative
// error 2.6e-9); results below 2^-126 become 0.
INLINED float exp_negative(float x) {
    x = x < -87.0f ? -87.0f : x;
    const float n = x * 1.44269504088896341f - 0.5f;
    const int32_t whole = (int32_t)n; // towards zero: n is at most 0 after rounding half down
    const float f = (float)whole;
    const float r = (x - f * 0.693145751953125f) - f * 1.42860682030941723e-6f;
    float p = 0.001394858118146658f;
    p = p * r + 0.008375128731131554f;
    p = p * r + 0.041666217148303986f;
    p = p * r + 0.16666415333747864f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const uint32_t bits = (uint32_t)(whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

DISPATCHED void ck_attention(const float *restrict q, const float *restrict k, const float *restrict v,
                             const float *restrict q_bias, const float *restrict k_bias,
                             const float *restrict v_bias, float *restrict context,
                             float *restrict scratch, size_t tokens, size_t heads) {
#pragma clang fp reassociate(on)
    const size_t hidden = heads * width;
    const size_t padded = (tokens + 15) / 16 * 16;
    const float scale = 0.17677669529663687f; // 1/√32
    float *restrict keys = scratch;                    // [width, padded]
    float *restrict scores = scratch + width * padded; // [block, padded]
    for (size_t head = 0; head < heads; head++) {
        const size_t column = head * width;
        // 1: keys of this head, transposed, so that scores of a query are sums of whole rows.
        for (size_t j = 0; j < padded; j++) {
            for (size_t d = 0; d < width; d++) {
                keys[d * padded + j] =
                    j < tokens ? k[j * hidden + column + d] + k_bias[column + d] : 0.0f;
            }
        }
        for (size_t first = 0; first < tokens; first += block) {
            const size_t rows = tokens - first < block ? tokens - first : block;
            // 2: scores of up to four queries, which share each row of keys.
            float query[block][width];
            for (size_t i = 0; i < block; i++) {
                const size_t row = first + (i < rows ? i : 0);
                for (size_t d = 0; d < width; d++)
                    query[i][d] = (q[row * hidden + column + d] + q_bias[column + d]) * scale;
            }
            for (size_t j = 0; j < padded; j += 16) {
                float sum[block][16] = {{0}};
                for (size_t d = 0; d < width; d++) {
                    const float *restrict keys_d = keys + d * padded + j;
                    for (size_t i = 0; i < block; i++)
                        for (size_t l = 0; l < 16; l++) sum[i][l] += query[i][d] * keys_d[l];
                }
                for (size_t i = 0; i < block; i++)
                    memcpy(scores + i * padded + j, sum[i], sizeof sum[i]);
            }
            // 3: softmax.
            float inverse[block];
            for (size_t i = 0; i < rows; i++) {
                float *restrict s = scores + i * padded;
                float highest = s[0];
                for (size_t j = 0; j < tokens; j++) highest = s[j] > highest ? s[j] : highest;
                float total = 0;
                for (size_t j = 0; j < tokens; j++) {
                    s[j] = exp_negative(s[j] - highest);
                    total += s[j];
                }
                inverse[i] = 1.0f / total;
            }
            // 4: values weighed by it.
            float sum[block][width] = {{0}};
            for (size_t j = 0; j < tokens; j++) {
                const float *restrict v_j = v + j * hidden + column;
                for (size_t i = 0; i < block; i++) {
                    const float weight = scores[i * padded + j];
                    for (size_t d = 0; d < width; d++) sum[i][d] += weight * v_j[d];
                }
            }
            for (size_t i = 0; i < rows; i++)
                for (size_t d = 0; d < width; d++)
                    context[(first + i) * hidden + column + d] =
                        sum[i][d] * inverse[i] + v_bias[column + d];
        }
    }
}
