// sums[i][c] = Σ a[i · a_row + x · a_depth] · b[x, c] over x < depth, for up to 4 vectors c.
// Nothing is repacked: b is read along its rows, a one element at a time.
INLINE void outer_tile(
    int rows, int vectors, vec sums[PRODUCT_ROWS][4], const float *a, size_t a_row, size_t a_depth,
    const float *b, size_t b_stride, size_t depth) {
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int c = 0; c < vectors; c++)
        sums[i][c] = splat(0);
    for (size_t x = 0; x < depth; x++) {
        vec left[PRODUCT_ROWS];
        UNROLL for (int i = 0; i < rows; i++) left[i] = splat(a[i * a_row + x * a_depth]);
        UNROLL for (int c = 0; c < vectors; c++) {
            const vec right = load(b + x * b_stride + c * LANES);
            UNROLL for (int i = 0; i < rows; i++) sums[i][c] += left[i] * right;
        }
    }
}

// Runs TILE(R, V) for every tile of R rows from row i and V vectors from column j. V is 4, or 2 if
// no more are left.
#if PRODUCT_ROWS > 3
#define OUTER_CASES(TILE, V) \
    case 1: TILE(1, V) break; \
    case 2: TILE(2, V) break; \
    case 3: TILE(3, V) break; \
    case 4: TILE(4, V) break; \
    case 5: TILE(5, V) break; \
    case 6: TILE(6, V) break;
#else
#define OUTER_CASES(TILE, V) \
    case 1: TILE(1, V) break; \
    case 2: TILE(2, V) break; \
    case 3: TILE(3, V) break;
#endif
#define OUTER_ROWS(TILE, V) \
    for (size_t i = 0, tile; i < rows; i += tile) { \
        tile = rows - i; \
        /* Two middling tiles before a full one with a sliver behind it. */ \
        if (tile > PRODUCT_ROWS) tile = tile < 2 * PRODUCT_ROWS ? (tile + 1) / 2 : PRODUCT_ROWS; \
        switch (tile) { OUTER_CASES(TILE, V) } \
    }
#define OUTER_TILES(TILE) \
    size_t j = 0; \
    for (; j + 4 * LANES <= columns; j += 4 * LANES) OUTER_ROWS(TILE, 4) \
    for (; j < columns; j += 2 * LANES) OUTER_ROWS(TILE, 2)

TARGET void AT_LEVEL(kernels_outer_product)(
    const float *a, size_t a_row, size_t a_depth, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t rows, size_t columns, size_t depth) {
#define STORE(R, V) \
    { \
        vec sums[PRODUCT_ROWS][4]; \
        outer_tile(R, V, sums, a + i * a_row, a_row, a_depth, b + j, b_stride, depth); \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < V; c++) \
            store(output + (i + r) * row_stride + j + c * LANES, sums[r][c]); \
    }
    OUTER_TILES(STORE)
#undef STORE
}
