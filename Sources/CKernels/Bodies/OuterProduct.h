// sums[i][c] = Σ a[i · a_row + x · a_depth] · b[x, 4 vectors] over x < depth. Nothing is repacked:
// b is read along its rows, a an element at a time.
INLINE void outer_tile(
    int rows, vec sums[PRODUCT_ROWS][4], const float *a, size_t a_row, size_t a_depth,
    const float *b, size_t b_stride, size_t depth) {
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int c = 0; c < 4; c++) sums[i][c] = splat(0);
    for (size_t x = 0; x < depth; x++) {
        vec left[PRODUCT_ROWS];
        UNROLL for (int i = 0; i < rows; i++) left[i] = splat(a[i * a_row + x * a_depth]);
        UNROLL for (int c = 0; c < 4; c++) {
            const vec right = load(b + x * b_stride + c * LANES);
            UNROLL for (int i = 0; i < rows; i++) sums[i][c] += left[i] * right;
        }
    }
}

// Runs TILE(R) for every tile of R rows from row i and 4 vectors from column j.
#if PRODUCT_ROWS > 3
#define OUTER_CASES(TILE) \
    case 1: TILE(1) break; \
    case 2: TILE(2) break; \
    case 3: TILE(3) break; \
    case 4: TILE(4) break; \
    case 5: TILE(5) break; \
    case 6: TILE(6) break;
#else
#define OUTER_CASES(TILE) \
    case 1: TILE(1) break; \
    case 2: TILE(2) break; \
    case 3: TILE(3) break;
#endif
#define OUTER_TILES(TILE) \
    for (size_t j = 0; j < columns; j += 4 * LANES) \
        for (size_t i = 0, tile; i < rows; i += tile) { \
            tile = rows - i; \
            /* Two middling tiles before a full one with a sliver behind it. */ \
            if (tile > PRODUCT_ROWS) \
                tile = tile < 2 * PRODUCT_ROWS ? (tile + 1) / 2 : PRODUCT_ROWS; \
            switch (tile) { OUTER_CASES(TILE) } \
        }

TARGET void AT_LEVEL(kernels_outer_product)(
    const float *a, size_t a_row, size_t a_depth, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t rows, size_t columns, size_t depth) {
#define STORE(R) \
    { \
        vec sums[PRODUCT_ROWS][4]; \
        outer_tile(R, sums, a + i * a_row, a_row, a_depth, b + j, b_stride, depth); \
        UNROLL for (int r = 0; r < R; r++) UNROLL for (int c = 0; c < 4; c++) \
            store(output + (i + r) * row_stride + j + c * LANES, sums[r][c]); \
    }
    OUTER_TILES(STORE)
#undef STORE
}
