TARGET void AT_LEVEL(kernels_squared_lengths)(
    double *lengths, const float *x, size_t rows, size_t columns) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++, x += columns) {
        double sum = 0;
        for (size_t j = 0; j < columns; j++) sum += (double)x[j] * x[j];
        lengths[row] = sum;
    }
}

TARGET void AT_LEVEL(kernels_levels_of_lengths)(
    float *levels, const float *x, const float *shift, size_t rows, size_t columns) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++, x += columns) {
        double sum = 0;
        for (size_t j = 0; j < columns; j++) {
            const double value = (double)x[j] + shift[j];
            sum += value * value;
        }
        const double excess = (sum - 1) / (double)columns;
        levels[row] = (float)__builtin_sqrt(excess > 0 ? excess : 0);
    }
}

TARGET void AT_LEVEL(kernels_scale_rows)(
    float *restrict y, const float *restrict x, const double *factors, size_t rows,
    size_t columns) {
    for (size_t row = 0; row < rows; row++, x += columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = (float)(x[j] * factors[row]);
}

TARGET void AT_LEVEL(kernels_network_input)(
    float *restrict input, size_t stride, const float *restrict y, const float *restrict mean,
    const float *restrict w, const float *s, size_t rows, size_t columns, size_t features,
    float spacing) {
    for (size_t row = 0; row < rows; row++, input += stride, y += columns) {
        const float level = s[row], variance = level * level;
        for (size_t j = 0; j < columns; j++)
            input[j] = (y[j] - mean[j]) / __builtin_sqrtf(w[j] + variance);
        float squares[16] = {0};
        for (size_t i = 0; i < features; i++) {
            const float distance = (level - (float)i * spacing) / spacing;
            squares[i] = -distance * distance;
        }
        for (size_t i = 0; i < 16; i += LANES) store(squares + i, exponential(load(squares + i)));
        for (size_t i = 0; i < features; i++) input[columns + i] = squares[i];
        input[columns + features] = 1;
        for (size_t j = columns + features + 1; j < stride; j++) input[j] = 0;
    }
}

// The logistic function 1 / (1 + exp(-p)), by exp of a number that is not above 0.
INLINE vec logistic(vec p) {
    const vec power = exponential(p < 0 ? p : -p);
    const vec whole = splat(1) / (splat(1) + power);
    return p < 0 ? power * whole : whole;
}

INLINE void gated_lanes(float *gated, const float *p, const float *q) {
    const vec value = load(p);
    store(gated, value * logistic(value) * load(q));
}

INLINE void gated_backward_lanes(float *p, float *q, const float *d_gated) {
    const vec value = load(p), factor = load(q), d = load(d_gated);
    const vec share = logistic(value);
    const vec silu = value * share;
    store(q, d * silu);
    // silu' = σ + p σ (1 - σ).
    store(p, d * factor * (share + silu * (splat(1) - share)));
}

TARGET void AT_LEVEL(kernels_gated)(
    float *gated, const float *h, size_t rows, size_t hidden) {
    for (size_t row = 0; row < rows; row++, gated += hidden, h += 2 * hidden) {
        size_t i = 0;
        for (; i + LANES <= hidden; i += LANES) gated_lanes(gated + i, h + i, h + hidden + i);
        const size_t left = (hidden - i) * sizeof(float);
        if (left == 0) continue;
        float p[LANES] = {0}, q[LANES] = {0}, result[LANES];
        memcpy(p, h + i, left);
        memcpy(q, h + hidden + i, left);
        gated_lanes(result, p, q);
        memcpy(gated + i, result, left);
    }
}

TARGET void AT_LEVEL(kernels_gated_backward)(
    float *h, const float *d_gated, size_t rows, size_t hidden) {
    for (size_t row = 0; row < rows; row++, d_gated += hidden, h += 2 * hidden) {
        size_t i = 0;
        for (; i + LANES <= hidden; i += LANES)
            gated_backward_lanes(h + i, h + hidden + i, d_gated + i);
        const size_t left = (hidden - i) * sizeof(float);
        if (left == 0) continue;
        float p[LANES] = {0}, q[LANES] = {0}, d[LANES] = {0};
        memcpy(p, h + i, left);
        memcpy(q, h + hidden + i, left);
        memcpy(d, d_gated + i, left);
        gated_backward_lanes(p, q, d);
        memcpy(h + i, p, left);
        memcpy(h + hidden + i, q, left);
    }
}

TARGET void AT_LEVEL(kernels_posterior)(
    float *restrict output, const float *restrict y, const float *restrict mean,
    const float *restrict r, const float *restrict w, const float *s, size_t rows,
    size_t columns) {
    for (size_t row = 0; row < rows; row++, output += columns, y += columns, r += columns) {
        const float variance = s[row] * s[row];
        for (size_t j = 0; j < columns; j++) {
            const float gain = w[j] / (w[j] + variance);
            output[j] =
                (y[j] - mean[j]) * gain + r[j] * __builtin_sqrtf(w[j] * (1 - gain));
        }
    }
}

TARGET void AT_LEVEL(kernels_posterior_loss)(
    double *sum, float *restrict r, const float *restrict y, const float *restrict target,
    const float *restrict w, const float *s, const float *weights, size_t rows, size_t columns) {
#pragma clang fp reassociate(on)
    double total = 0;
    for (size_t row = 0; row < rows; row++, r += columns, y += columns, target += columns) {
        const float variance = s[row] * s[row], twice = 2 * weights[row];
        // A row at a time, so that the single-precision partial sums stay short.
        float partial = 0;
        for (size_t j = 0; j < columns; j++) {
            const float gain = w[j] / (w[j] + variance);
            const float scale = __builtin_sqrtf(w[j] * (1 - gain));
            const float t = y[j] * gain + r[j] * scale - target[j];
            partial += t * t;
            r[j] = twice * t * scale;
        }
        total += (double)partial * weights[row];
    }
    *sum = total;
}

TARGET void AT_LEVEL(kernels_squared_ways)(
    double *ways, const float *f, const float *x, const double *scales, size_t rows,
    size_t columns) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++, f += columns, x += columns) {
        const double scale = scales[row];
        double sum = 0;
        for (size_t j = 0; j < columns; j++) {
            const double way = scale * f[j] - x[j];
            sum += way * way;
        }
        ways[row] = sum;
    }
}

TARGET void AT_LEVEL(kernels_blend)(
    float *restrict f, const float *restrict x, const double *amounts, const double *scales,
    size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++, f += columns, x += columns) {
        const double amount = amounts[row], scale = scales[row];
        if (amount == 0) {
            memcpy(f, x, columns * sizeof(float));
            continue;
        }
        for (size_t j = 0; j < columns; j++)
            f[j] = (float)(x[j] + amount * (scale * f[j] - x[j]));
    }
}

TARGET void AT_LEVEL(kernels_weighted_distances)(
    float *sums, const float *y, const float *mean, const float *factors, const float *precisions,
    size_t rows, size_t levels, size_t columns) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++, y += columns) {
        for (size_t level = 0; level < levels; level++) {
            const float factor = factors[level], *precision = precisions + level * columns;
            float sum = 0;
            for (size_t j = 0; j < columns; j++) {
                const float distance = factor * y[j] - mean[j];
                sum += distance * distance * precision[j];
            }
            *sums++ = sum;
        }
    }
}

TARGET void AT_LEVEL(kernels_add_to)(float *restrict x, const float *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) x[i] += y[i];
}
