TARGET void AT_LEVEL(kernels_transpose)(
    const float *restrict x, size_t x_stride, float *restrict y, size_t y_stride, size_t rows,
    size_t columns) {
    size_t r = 0;
    for (; r + 4 <= rows; r += 4, x += 4 * x_stride, y += 4) {
        size_t c = 0;
        for (; c + LANES <= columns; c += LANES) {
            const vec four_rows[4] = {
                load(x + c), load(x + x_stride + c), load(x + 2 * x_stride + c),
                load(x + 3 * x_stride + c)};
            vec four[4];
            transpose_four(four_rows, four);
            UNROLL for (int i = 0; i < LANES; i++)
                *(vec4_unaligned *)(y + (c + i) * y_stride) = lanes_of_four(four[i % 4], i / 4);
        }
        for (; c < columns; c++)
            for (size_t i = 0; i < 4; i++) y[c * y_stride + i] = x[i * x_stride + c];
    }
    for (; r < rows; r++, x += x_stride, y++)
        for (size_t c = 0; c < columns; c++) y[c * y_stride] = x[c];
}
