// Written so that a NaN stays one.
INLINE float at_least(float least, float v) { return v < least ? least : v; }

TARGET void AT_LEVEL(kernels_add_bias)(
    float *restrict x, size_t stride, const float *restrict bias, bool rectify, size_t rows,
    size_t columns) {
    const float least = rectify ? 0.0f : -__builtin_inff();
    for (size_t row = 0; row < rows; row++) {
        float *restrict x_r = x + row * stride;
        for (size_t c = 0; c < columns; c++) x_r[c] = at_least(least, x_r[c] + bias[c]);
    }
}

TARGET void AT_LEVEL(kernels_add_row_bias)(
    float *restrict x, size_t stride, const float *restrict bias, bool rectify, size_t rows,
    size_t columns) {
    const float least = rectify ? 0.0f : -__builtin_inff();
    for (size_t row = 0; row < rows; row++) {
        float *restrict x_r = x + row * stride;
        const float b = bias[row];
        for (size_t c = 0; c < columns; c++) x_r[c] = at_least(least, x_r[c] + b);
    }
}

TARGET void AT_LEVEL(kernels_add_row_bias_to_parts)(
    float *restrict y, const float *restrict a, const float *restrict b,
    const float *restrict bias, bool rectify, size_t rows, size_t columns) {
    const float least = rectify ? 0.0f : -__builtin_inff();
    for (size_t row = 0; row < rows; row++, y += columns, a += columns, b += columns)
        for (size_t c = 0; c < columns; c++) y[c] = at_least(least, a[c] + b[c] + bias[row]);
}

TARGET void AT_LEVEL(kernels_rectifier_backward)(
    float *restrict d_x, const float *restrict a, const float *restrict b,
    const float *restrict y, size_t stride, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, d_x += stride, a += stride, b += stride, y += stride)
        for (size_t c = 0; c < columns; c++) d_x[c] = y[c] > 0 ? a[c] + b[c] : 0;
}

TARGET void AT_LEVEL(kernels_column_sums)(
    float *restrict sums, const float *restrict x, size_t stride, size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c++) sums[c] = 0;
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < columns; c++) sums[c] += x[row * stride + c];
}
