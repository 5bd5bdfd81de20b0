// hidden = (v − mean) / √(variance + ε) · gain + shift, v = hidden + addend + bias, row by row. The
// variance is the biased one (divided by the number of columns). It is taken around the mean in a
// second pass over the row, which then lies in the first-level cache.
TARGET void AT_LEVEL(kernels_add_layer_norm)(
    float *hidden, const float *addend, const float *bias, const float *gain, const float *shift,
    float epsilon, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++, hidden += columns, addend += columns) {
        // Two sums each, because every addition to one sum waits for the one before.
        vec sums[2] = {splat(0), splat(0)}, squares[2] = {splat(0), splat(0)};
        for (size_t j = 0; j < columns; j += 2 * LANES) {
            UNROLL for (int u = 0; u < 2; u++) {
                size_t at = j + u * LANES;
                vec v = load(hidden + at) + load(addend + at) + load(bias + at);
                store(hidden + at, v);
                sums[u] += v;
            }
        }
        vec mean = splat(sum(sums[0] + sums[1]) / (float)columns);
        for (size_t j = 0; j < columns; j += 2 * LANES) {
            UNROLL for (int u = 0; u < 2; u++) {
                vec d = load(hidden + j + u * LANES) - mean;
                squares[u] += d * d;
            }
        }
        float variance = sum(squares[0] + squares[1]) / (float)columns;
        vec scale = splat(1 / __builtin_sqrtf(variance + epsilon));
        for (size_t j = 0; j < columns; j += LANES)
            store(hidden + j, (load(hidden + j) - mean) * scale * load(gain + j) + load(shift + j));
    }
}
