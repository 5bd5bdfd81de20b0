// output = a · bᵀ with both operands read as they lie. Rows of a and of b are multiplied lane by
// lane along k, and the lanes are summed at the end, so nothing is repacked. BLAS packs the weights
// on every call.
//
// An element is summed in one order, so it does not depend on the number of rows.

// The extents of a block: what is summed over at a time, rows of a, and columns of the output. A
// block of a stays in the first-level cache, one of b in the second.
#define PRODUCT_DEPTH 384
#define PRODUCT_BLOCK_ROWS 18
#define PRODUCT_BLOCK_COLUMNS 64

// How many rows ahead of their use b's rows are prefetched. The processor's own prefetching starts
// again on each page.
#define PRODUCT_AHEAD 8

// output[rows, columns] = or += for a tile of constant size; columns is 4 or 1. Prefetches the
// first `ahead` rows at `next`.
INLINE void product_tile(
    int rows, int columns, int add, int ahead, const float *a, size_t a_stride, const float *b,
    size_t b_stride, const float *next, float *output, size_t row_stride, size_t column_stride,
    size_t k) {
    vec sums[PRODUCT_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < 4; j++) sums[i][j] = splat(0);
    size_t whole = k / LANES * LANES;
    for (size_t x = 0; x < whole; x += LANES) {
        // Rows of a stay in registers and rows of b pass. The other way round, 16 registers do not
        // hold a tile of three rows.
        vec left[PRODUCT_ROWS];
        UNROLL for (int i = 0; i < rows; i++) left[i] = load(a + i * a_stride + x);
        UNROLL for (int j = 0; j < ahead; j++) __builtin_prefetch(next + j * b_stride + x);
        UNROLL for (int j = 0; j < columns; j++) {
            const vec right = load(b + j * b_stride + x);
            UNROLL for (int i = 0; i < rows; i++) sums[i][j] += left[i] * right;
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

// The tile for a number of rows that is only known at run time.
INLINE void product_rows(
    size_t rows, int columns, int add, int ahead, const float *a, size_t a_stride, const float *b,
    size_t b_stride, const float *next, float *output, size_t row_stride, size_t column_stride,
    size_t k) {
#define TILE(R) \
    case R: \
        product_tile( \
            R, columns, add, ahead, a, a_stride, b, b_stride, next, output, row_stride, \
            column_stride, k); \
        break;
    switch (rows) {
        TILE(1) TILE(2) TILE(3)
#if PRODUCT_ROWS > 3
        TILE(4) TILE(5) TILE(6)
#endif
    }
#undef TILE
}

// A block's rows of a against `columns` rows of b, in tiles of nearly equal size. If `next` is not
// null, the tiles prefetch four rows there, in equal parts.
INLINE void product_columns(
    int columns, int add, const float *a, size_t a_stride, const float *b, size_t b_stride,
    const float *next, float *output, size_t row_stride, size_t column_stride, size_t rows,
    size_t k) {
    size_t tiles = (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    size_t left = next ? 4 : 0;
    for (; tiles > 0; tiles--) {
        size_t tile = (rows + tiles - 1) / tiles, ahead = (left + tiles - 1) / tiles;
#define AHEAD(A) \
    product_rows( \
        tile, columns, add, A, a, a_stride, b, b_stride, next, output, row_stride, column_stride, k)
        switch (ahead) {
            case 0: AHEAD(0); break;
            case 1: AHEAD(1); break;
            case 2: AHEAD(2); break;
            default: AHEAD(4);
        }
#undef AHEAD
        if (next) next += ahead * b_stride;
        left -= ahead;
        rows -= tile;
        a += tile * a_stride;
        output += tile * row_stride;
    }
}

// A block: its rows of a against columns `from` to `to` of the output.
INLINE void product_block(
    int add, int prefetches, const float *a, size_t a_stride, const float *b, size_t b_stride,
    float *output, size_t row_stride, size_t column_stride, size_t rows, size_t from, size_t to,
    size_t n, size_t k) {
    size_t j = from;
    for (; j + 4 <= to; j += 4) {
        int is_asked = prefetches && j + PRODUCT_AHEAD + 4 <= n;
        product_columns(
            4, add, a, a_stride, b + j * b_stride, b_stride,
            is_asked ? b + (j + PRODUCT_AHEAD) * b_stride : NULL, output + j * column_stride,
            row_stride, column_stride, rows, k);
    }
    for (; j < to; j++)
        product_columns(
            1, add, a, a_stride, b + j * b_stride, b_stride, NULL, output + j * column_stride,
            row_stride, column_stride, rows, k);
}

TARGET void AT_LEVEL(kernels_few_rows_product)(
    const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
    size_t row_stride, size_t column_stride, size_t m, size_t n, size_t k) {
    for (size_t x = 0; x < k || x == 0; x += PRODUCT_DEPTH) {
        size_t depth = k - x < PRODUCT_DEPTH ? k - x : PRODUCT_DEPTH;
        for (size_t from = 0; from < n; from += PRODUCT_BLOCK_COLUMNS) {
            size_t to = n - from < PRODUCT_BLOCK_COLUMNS ? n : from + PRODUCT_BLOCK_COLUMNS;
            size_t blocks = (m + PRODUCT_BLOCK_ROWS - 1) / PRODUCT_BLOCK_ROWS;
            for (size_t i = 0; blocks > 0; blocks--) {
                size_t rows = (m - i + blocks - 1) / blocks;
                product_block(
                    x > 0, i == 0, a + i * a_stride + x, a_stride, b + x, b_stride,
                    output + i * row_stride, row_stride, column_stride, rows, from, to, n, depth);
                i += rows;
            }
        }
    }
}
