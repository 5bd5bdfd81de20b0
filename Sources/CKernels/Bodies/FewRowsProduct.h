// output = a · bᵀ with both operands read as they lie: rows of a and of b are multiplied lane by lane
// along k and the lanes summed at the end, so nothing is repacked. BLAS packs the weights on every call.
//
// An element is summed in one order whatever the number of rows, so it does not depend on them.

// What is summed over at a time: of 1536 at once, eight rows of a fill the first-level cache alone.
#define PRODUCT_DEPTH 384

// output[rows, columns] = or += for a compile-time tile; columns is 4 or 1. Where `next` is not null it
// points at b's next rows, which are asked for ahead of their use: the processor's own prefetching
// starts anew on each page (measured at 8 rows against [1536, 384]: 84 GFLOP/s so, 59 without).
INLINE void product_tile(
    int rows, int columns, int add, const float *a, size_t a_stride, const float *b,
    size_t b_stride, const float *next, float *output, size_t row_stride, size_t column_stride,
    size_t k) {
    vec sums[PRODUCT_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < 4; j++) sums[i][j] = splat(0);
    size_t whole = k / LANES * LANES;
    for (size_t x = 0; x < whole; x += LANES) {
        vec right[4];
        UNROLL for (int j = 0; j < columns; j++) right[j] = load(b + j * b_stride + x);
        if (next)
            UNROLL for (int j = 0; j < columns; j++) __builtin_prefetch(next + j * b_stride + x);
        UNROLL for (int i = 0; i < rows; i++) {
            vec left = load(a + i * a_stride + x);
            UNROLL for (int j = 0; j < columns; j++) sums[i][j] += left * right[j];
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        vec4 s = sums_of_four(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
        for (size_t x = whole; x < k; x++)
            for (int j = 0; j < columns; j++) s[j] += a[i * a_stride + x] * b[j * b_stride + x];
        float *out = output + i * row_stride;
        if (columns == 4 && column_stride == 1)
            *(vec4_unaligned *)out = add ? *(vec4_unaligned *)out + s : s;
        else
            UNROLL for (int j = 0; j < columns; j++) out[j * column_stride] =
                add ? out[j * column_stride] + s[j] : s[j];
    }
}

// All rows of a against `columns` rows of b.
INLINE void product_columns(
    int columns, int add, const float *a, size_t a_stride, const float *b, size_t b_stride,
    const float *next, float *output, size_t row_stride, size_t column_stride, size_t rows,
    size_t k) {
    for (size_t i = 0; i < rows;) {
        size_t tile = rows - i;
        // Two middling tiles before a full one with a sliver behind it.
        if (tile > PRODUCT_ROWS) tile = tile < 2 * PRODUCT_ROWS ? (tile + 1) / 2 : PRODUCT_ROWS;
#define TILE(R) \
    case R: \
        product_tile( \
            R, columns, add, a + i * a_stride, a_stride, b, b_stride, i ? NULL : next, \
            output + i * row_stride, row_stride, column_stride, k); \
        break;
        switch (tile) {
            TILE(1) TILE(2) TILE(3)
#if PRODUCT_ROWS > 3
            TILE(4) TILE(5) TILE(6)
#endif
        }
#undef TILE
        i += tile;
    }
}

TARGET void AT_LEVEL(kernels_few_rows_product)(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t column_stride, size_t m, size_t n, size_t k) {
    for (size_t x = 0; x < k || x == 0; x += PRODUCT_DEPTH) {
        size_t depth = k - x < PRODUCT_DEPTH ? k - x : PRODUCT_DEPTH;
        size_t j = 0;
        for (; j + 4 <= n; j += 4) {
            const float *right = b + j * b_stride + x;
            product_columns(
                4, x > 0, a + x, a_stride, right, b_stride,
                j + 8 <= n ? right + 4 * b_stride : NULL, output + j * column_stride, row_stride,
                column_stride, m, depth);
        }
        for (; j < n; j++)
            product_columns(
                1, x > 0, a + x, a_stride, b + j * b_stride + x, b_stride, NULL,
                output + j * column_stride, row_stride, column_stride, m, depth);
    }
}
