// output = x · weightᵀ with both operands packed. Rows of x lie in the lanes of vectors, one
// feature after the other, and six rows of weight interleave. A tile then reads two streams and
// sums nothing across lanes.

// Vectors of rows in a panel, and sixes of weight rows in a tile, by what the registers hold.
#if LANES == 16
#define PANEL_VECTORS 4
#define TILE_SIXES(vectors) ((vectors) <= 2 ? 2 : 1)
#else
#define PANEL_VECTORS 2
#define TILE_SIXES(vectors) ((vectors) == 1 ? 2 : 1)
#endif

// Sixes of weight rows that stay in the second-level cache while all panels pass.
#define BLOCK_SIXES 16

enum { six = KERNELS_PACKED_ROWS };
_Static_assert(six == 6, "put_across stores four columns and two");
_Static_assert(KERNELS_PANEL_ROWS % LANES == 0, "whole vectors");

// How many vectors hold so many rows.
INLINE size_t vectors_of(size_t rows) { return (rows + LANES - 1) / LANES; }

// Four rows of a panel `width` wide from four of x, of which `rows` are there.
INLINE void pack_four(
    const float *x, size_t stride, size_t rows, size_t depth, float *panel, size_t width) {
    static const float nothing[LANES] = {0};
    size_t d = 0;
    for (; d + LANES <= depth; d += LANES) {
        vec row[4], four[4];
        UNROLL for (size_t i = 0; i < 4; i++) row[i] = load(i < rows ? x + i * stride + d : nothing);
        transpose_four(row, four);
        UNROLL for (int lane = 0; lane < LANES; lane++)
            *(vec4_unaligned *)(panel + (d + lane) * width) = lanes_of_four(four[lane % 4], lane / 4);
    }
    for (; d < depth; d++)
        UNROLL for (size_t i = 0; i < 4; i++) panel[d * width + i] = i < rows ? x[i * stride + d] : 0;
}

TARGET void AT_LEVEL(kernels_pack_rows)(
    const float *x, size_t stride, size_t rows, size_t depth, float *panels) {
    const size_t vectors = vectors_of(rows);
    for (size_t v = 0; v < vectors; v += PANEL_VECTORS) {
        const size_t width = (vectors - v < PANEL_VECTORS ? vectors - v : PANEL_VECTORS) * LANES;
        for (size_t i = 0; i < width; i += 4) {
            const size_t row = v * LANES + i, left = row < rows ? rows - row : 0;
            pack_four(x + row * stride, stride, left, depth, panels + i, width);
        }
        panels += width * depth;
    }
}

// The place of a tile's sums, which has `rows` rows.
struct packed_output {
    float *at;
    size_t row_stride, column_stride, rows;
    bool adds;
};

// Six columns of LANES rows, each row's beside each other.
INLINE void put_across(const vec sums[six], struct packed_output out) {
    vec four[4];
    transpose_four(sums, four);
    const vec two[2] = {interleave_low(sums[4], sums[5]), interleave_high(sums[4], sums[5])};
    UNROLL for (int i = 0; i < LANES; i++)
        if ((size_t)i < out.rows) {
            float *to = out.at + i * out.row_stride;
            const vec4 first = lanes_of_four(four[i % 4], i / 4);
            const vec4 both = lanes_of_four(two[i % 4 / 2], i / 4);
            const vec2 last = i % 2 ? both.hi : both.lo;
            *(vec4_unaligned *)to = out.adds ? *(vec4_unaligned *)to + first : first;
            *(vec2_unaligned *)(to + 4) = out.adds ? *(vec2_unaligned *)(to + 4) + last : last;
        }
}

// Six columns of LANES rows, each column's beside each other.
INLINE void put_along(const vec sums[six], struct packed_output out) {
    UNROLL for (int j = 0; j < six; j++) {
        float *to = out.at + j * out.column_stride;
        store(to, out.adds ? load(to) + sums[j] : sums[j]);
    }
}

// Prefetches a cache line of the sixes that come next, because the processor's own prefetching
// starts again on each page.
//
// The second-level cache is the better target with AVX2, and with AVX-512 for up to 16 rows. More
// rows keep an AVX-512 core at a weight for longer, so the nearer first-level cache is as good or
// better.
INLINE void ask_for(const float *line, int vectors) {
    if (LANES < 16 || vectors == 1)
        __builtin_prefetch(line, 0, 2);
    else
        __builtin_prefetch(line, 0, 3);
}

// `sixes` of weight rows against a panel of `vectors`.
INLINE void packed_tile(
    int sixes, int vectors, const float *panel, const float *packed, size_t six_stride,
    struct packed_output out, size_t depth) {
    vec sums[2][PANEL_VECTORS][six];
    UNROLL for (int g = 0; g < sixes; g++) UNROLL for (int v = 0; v < vectors; v++)
        UNROLL for (int j = 0; j < six; j++) sums[g][v][j] = splat(0);
    const float *next = packed + sixes * six_stride;
    for (size_t from = 0; from < depth; from += 16) {
        UNROLL for (int g = 0; g < sixes; g++) UNROLL for (int line = 0; line < six; line++)
            ask_for(next + g * six_stride + from * six + line * 16, vectors);
        const size_t to = depth - from < 16 ? depth : from + 16;
        for (size_t d = from; d < to; d++) {
            vec x[PANEL_VECTORS];
            UNROLL for (int v = 0; v < vectors; v++) x[v] = load(panel + (d * vectors + v) * LANES);
            UNROLL for (int g = 0; g < sixes; g++) UNROLL for (int j = 0; j < six; j++) {
                const vec weight = splat(packed[g * six_stride + d * six + j]);
                UNROLL for (int v = 0; v < vectors; v++) sums[g][v][j] += weight * x[v];
            }
        }
    }
    UNROLL for (int g = 0; g < sixes; g++) UNROLL for (int v = 0; v < vectors; v++) {
        struct packed_output part = out;
        part.at += v * LANES * out.row_stride + g * six * out.column_stride;
        part.rows = out.rows > (size_t)(v * LANES) ? out.rows - v * LANES : 0;
        if (out.column_stride == 1)
            put_across(sums[g][v], part);
        else
            put_along(sums[g][v], part);
    }
}

// All `sixes` of a block against one panel.
INLINE void packed_panel(
    int vectors, const float *panel, const float *packed, size_t six_stride,
    struct packed_output out, size_t sixes, size_t depth) {
    for (; sixes >= TILE_SIXES(vectors); sixes -= TILE_SIXES(vectors)) {
        packed_tile(TILE_SIXES(vectors), vectors, panel, packed, six_stride, out, depth);
        packed += TILE_SIXES(vectors) * six_stride;
        out.at += TILE_SIXES(vectors) * six * out.column_stride;
    }
    if (sixes) packed_tile(1, vectors, panel, packed, six_stride, out, depth);
}

TARGET void AT_LEVEL(kernels_packed_product)(
    const float *panels, const float *packed, size_t six_stride, float *output, size_t row_stride,
    size_t column_stride, size_t rows, size_t columns, size_t depth, bool adds) {
    const size_t vectors = vectors_of(rows), all = columns / six;
    for (size_t g = 0; g < all; g += BLOCK_SIXES) {
        const size_t sixes = all - g < BLOCK_SIXES ? all - g : BLOCK_SIXES;
        for (size_t v = 0; v < vectors; v += PANEL_VECTORS) {
            struct packed_output out = {
                output + v * LANES * row_stride + g * six * column_stride, row_stride,
                column_stride, rows - v * LANES, adds};
#define PANEL(V) \
    case V: \
        packed_panel( \
            V, panels + v * LANES * depth, packed + g * six_stride, six_stride, out, sixes, depth); \
        break;
            switch (vectors - v < PANEL_VECTORS ? vectors - v : PANEL_VECTORS) {
                PANEL(1) PANEL(2)
#if PANEL_VECTORS > 2
                PANEL(3) PANEL(4)
#endif
            }
#undef PANEL
        }
    }
}
