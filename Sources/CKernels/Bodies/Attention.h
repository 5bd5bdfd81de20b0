// context = softmax((Q + bq) · Kᵀ / √32) · V + bv for one head after the other, ATTENTION_ROWS
// queries at a time: their scores stay in the first-level cache between the two products.
//
// No bias costs a pass of its own. bq is added when a query is scaled. bk adds the same to all
// scores of a query and cancels in the softmax. bv may be added last, because the weights sum to 1.

// scores[rows, blocks · LANES] = query[rows, 32] · keys[32, blocks · LANES]
INLINE void score_tile(
    int rows, int blocks, const float *query, const float *keys, size_t key_stride, float *scores,
    size_t score_stride) {
    vec sums[KERNELS_SCORE_ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int b = 0; b < blocks; b++)
        sums[i][b] = splat(0);
    for (size_t d = 0; d < KERNELS_HEAD; d++) {
        vec key[2];
        UNROLL for (int b = 0; b < blocks; b++) key[b] = load(keys + d * key_stride + b * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec q = splat(query[i * KERNELS_HEAD + d]);
            UNROLL for (int b = 0; b < blocks; b++) sums[i][b] += q * key[b];
        }
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int b = 0; b < blocks; b++)
        store(scores + i * score_stride + b * LANES, sums[i][b]);
}

// scores[padded] becomes exp(scores − largest); lanes from `length` on count as −∞. Returns
// 1 / sum.
INLINE float softmax_unscaled(float *scores, size_t length, size_t padded) {
    const ivec lane = LANE_NUMBERS;
    size_t last = padded - LANES;
    vec tail = load(scores + last);
    tail = lane < (ivec)(int32_t)(length - last) ? tail : splat(-__builtin_inff());
    store(scores + last, tail);
    vec top = tail;
    for (size_t j = 0; j < last; j += LANES) top = larger(top, load(scores + j));
    vec highest = splat(largest(top)), total = splat(0);
    for (size_t j = 0; j < padded; j += LANES) {
        vec e = exponential(load(scores + j) - highest);
        store(scores + j, e);
        total += e;
    }
    return 1 / sum(total);
}

// context[rows, 32] = weights[rows, length] · values[length, 32] · scale[rows] + bias[32]
INLINE void context_tile(
    int rows, const float *weights, size_t weight_stride, const float *scale, const float *values,
    size_t stride, const float *bias, size_t length, float *context) {
    enum { parts = KERNELS_HEAD / LANES < 4 ? KERNELS_HEAD / LANES : 4 };
    UNROLL for (size_t from = 0; from < KERNELS_HEAD; from += parts * LANES) {
        vec sums[KERNELS_SCORE_ROWS][parts];
        UNROLL for (int i = 0; i < rows; i++) UNROLL for (int p = 0; p < parts; p++)
            sums[i][p] = splat(0);
        for (size_t j = 0; j < length; j++) {
            // Weights stay in registers and values pass: 16 registers hold just that.
            vec w[KERNELS_SCORE_ROWS];
            UNROLL for (int i = 0; i < rows; i++) w[i] = splat(weights[i * weight_stride + j]);
            UNROLL for (int p = 0; p < parts; p++) {
                const vec value = load(values + j * stride + from + p * LANES);
                UNROLL for (int i = 0; i < rows; i++) sums[i][p] += w[i] * value;
            }
        }
        UNROLL for (int i = 0; i < rows; i++) UNROLL for (int p = 0; p < parts; p++)
            store(context + i * stride + from + p * LANES,
                sums[i][p] * splat(scale[i]) + load(bias + from + p * LANES));
    }
}

INLINE void attend_tile(
    int rows, float *query, const float *keys, const float *values, size_t stride,
    size_t key_stride, const float *query_bias, const float *value_bias, size_t length,
    float *scores) {
    float scaled[KERNELS_SCORE_ROWS * KERNELS_HEAD], inverse[KERNELS_SCORE_ROWS];
    const float scale = 0.176776695f;  // 1/√32
    size_t padded = (length + LANES - 1) / LANES * LANES;
    for (int i = 0; i < rows; i++)
        UNROLL for (size_t d = 0; d < KERNELS_HEAD; d += LANES)
            store(scaled + i * KERNELS_HEAD + d,
                (load(query + i * stride + d) + load(query_bias + d)) * splat(scale));
    size_t j = 0;
    for (; j + 2 * LANES <= padded; j += 2 * LANES)
        score_tile(rows, 2, scaled, keys + j, key_stride, scores + j, padded);
    if (j < padded) score_tile(rows, 1, scaled, keys + j, key_stride, scores + j, padded);
    for (int i = 0; i < rows; i++)
        inverse[i] = softmax_unscaled(scores + i * padded, length, padded);
    context_tile(
        rows, scores, padded, inverse, values, stride, value_bias, length, query);
}

TARGET void AT_LEVEL(kernels_attention)(
    float *query, const float *keys, const float *values, size_t stride, size_t key_stride,
    const float *query_bias, const float *value_bias, size_t heads, size_t length, float *scores) {
    for (size_t h = 0; h < heads; h++) {
        size_t column = h * KERNELS_HEAD;
        for (size_t i = 0; i < length;) {
            size_t rows = length - i;
            // Two tiles of half the rest, rather than a full tile and a small one.
            if (rows > ATTENTION_ROWS)
                rows = rows < 2 * ATTENTION_ROWS ? (rows + 1) / 2 : ATTENTION_ROWS;
#define TILE(R) \
    case R: \
        attend_tile( \
            R, query + i * stride + column, keys + column * key_stride, values + column, stride, \
            key_stride, query_bias + column, value_bias + column, length, scores); \
        break;
            switch (rows) {
                TILE(1) TILE(2) TILE(3)
#if ATTENTION_ROWS > 3
                TILE(4) TILE(5) TILE(6)
#endif
            }
#undef TILE
            i += rows;
        }
    }
}
