INLINE vec root(vec x) { return __builtin_elementwise_sqrt(x); }

// size / x for finite positive x.
INLINE vec over(vec size, vec x) {
#if LANES == 16
    // An estimate of 14 bits and one step of Newton's method, at most two units in the last place
    // off. A division would wait for the unit that computes the square roots.
    const vec about = _mm512_rcp14_ps(x);
    return size * (about + about * (1 - x * about));
#else
    return size / x;
#endif
}

INLINE void adam_lanes(float *x, float *m, float *v, vec g, struct kernels_adam_step step) {
    vec mean = load(m), square = load(v);
    mean += (g - mean) * step.rest1;
    square = step.beta2 * square + step.rest2 * g * g;
    store(m, mean);
    store(v, square);
    const vec width = root(square) * step.over_root_correction2 + step.epsilon;
    store(x, load(x) - over(step.size * mean, width));
}

TARGET void AT_LEVEL(kernels_adam)(
    float *x, float *m, float *v, const float *gradient, size_t count,
    struct kernels_adam_step step) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) adam_lanes(x + i, m + i, v + i, load(gradient + i), step);
    if (i == count) return;
    float rest[4][LANES] = {0};
    const size_t left = count - i;
    for (size_t j = 0; j < left; j++) {
        rest[0][j] = x[i + j];
        rest[1][j] = m[i + j];
        rest[2][j] = v[i + j];
        rest[3][j] = gradient[i + j];
    }
    adam_lanes(rest[0], rest[1], rest[2], load(rest[3]), step);
    for (size_t j = 0; j < left; j++) {
        x[i + j] = rest[0][j];
        m[i + j] = rest[1][j];
        v[i + j] = rest[2][j];
    }
}

TARGET void AT_LEVEL(kernels_adam_outer_product)(
    float *x, float *m, float *v, const float *a, size_t a_row, size_t a_depth, const float *b,
    size_t b_stride, size_t rows, size_t columns, size_t depth, struct kernels_adam_step step) {
#define STEP(R, V) \
    { \
        vec sums[PRODUCT_ROWS][4]; \
        outer_tile(R, V, sums, a + i * a_row, a_row, a_depth, b + j, b_stride, depth); \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < V; c++) { \
            const size_t at = (i + r) * columns + j + c * LANES; \
            adam_lanes(x + at, m + at, v + at, sums[r][c], step); \
        } \
    }
    OUTER_TILES(STEP)
#undef STEP
}
