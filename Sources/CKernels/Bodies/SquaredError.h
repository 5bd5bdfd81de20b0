TARGET void AT_LEVEL(kernels_squared_error)(
    double *sum, float *restrict d_y, const float *restrict y, const float *restrict target,
    float factor, size_t stride, size_t rows, size_t columns) {
#pragma clang fp reassociate(on)
    double total = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *restrict y_r = y + row * stride, *restrict t_r = target + row * stride;
        // A row at a time, so that the single-precision partial sums stay short.
        float partial = 0;
        for (size_t c = 0; c < columns; c++) {
            const float d = y_r[c] - t_r[c];
            partial += d * d;
        }
        total += partial;
        if (d_y)
            for (size_t c = 0; c < columns; c++)
                d_y[row * stride + c] = factor * (y_r[c] - t_r[c]);
    }
    *sum = total;
}
