// output = a · bᵀ with both operands read as they lie: rows of a and of b are multiplied lane by lane
// along k and the lanes summed at the end, so nothing is repacked. BLAS packs the weights on every call.
//
// An element is summed in one order whatever the number of rows, so it does not depend on them.

// output[rows, columns] for a compile-time tile; columns is 4 or 1.
INLINE void product_tile(
    int rows, int columns, const float *a, size_t a_stride, const float *b, size_t b_stride,
    float *output, size_t output_stride, size_t k) {
    vec sums[PRODUCT_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < 4; j++) sums[i][j] = splat(0);
    size_t whole = k / LANES * LANES;
    for (size_t x = 0; x < whole; x += LANES) {
        vec right[4];
        UNROLL for (int j = 0; j < columns; j++) right[j] = load(b + j * b_stride + x);
        UNROLL for (int i = 0; i < rows; i++) {
            vec left = load(a + i * a_stride + x);
            UNROLL for (int j = 0; j < columns; j++) sums[i][j] += left * right[j];
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        vec4 s = sums_of_four(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
        for (size_t x = whole; x < k; x++)
            for (int j = 0; j < columns; j++) s[j] += a[i * a_stride + x] * b[j * b_stride + x];
        if (columns == 4)
            *(vec4_unaligned *)(output + i * output_stride) = s;
        else
            output[i * output_stride] = s[0];
    }
}

INLINE void product_column(
    int columns, const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
    size_t output_stride, size_t rows, size_t k) {
    for (size_t i = 0; i < rows;) {
        size_t tile = rows - i;
        // Two middling tiles before a full one with a sliver behind it.
        if (tile > PRODUCT_ROWS) tile = tile < 2 * PRODUCT_ROWS ? (tile + 1) / 2 : PRODUCT_ROWS;
#define TILE(R) \
    case R: \
        product_tile( \
            R, columns, a + i * a_stride, a_stride, b, b_stride, output + i * output_stride, \
            output_stride, k); \
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
    size_t output_stride, size_t m, size_t n, size_t k) {
    // Rows of a that are kept near while b streams past: 96 rows of 384 floats, 24 of 1536 (measured
    // the fastest of 24, 48 and 96 for each).
    size_t block = k > 512 ? 24 : 96;
    for (size_t from = 0; from < m; from += block) {
        size_t rows = m - from < block ? m - from : block;
        const float *upper = a + from * a_stride;
        float *out = output + from * output_stride;
        size_t j = 0;
        for (; j + 4 <= n; j += 4)
            product_column(
                4, upper, a_stride, b + j * b_stride, b_stride, out + j, output_stride, rows, k);
        for (; j < n; j++)
            product_column(
                1, upper, a_stride, b + j * b_stride, b_stride, out + j, output_stride, rows, k);
    }
}
