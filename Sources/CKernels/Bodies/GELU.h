// gelu(x) = x · Φ(x), Φ(x) = (1 + erf(x/√2)) / 2 = 1/2 + x · R(x²).
//
// R is entire, so one polynomial serves: degree 15 in t = 2x²/5.5² − 1. It was fitted to x·R(x²)
// (weighted least squares made minimax, in double) with an error of 8.3e-9 for |x| ≤ 5.5. Beyond, Φ
// is within 2e-8 of 0 or 1. In floats the largest error of gelu on [-8, 8] is 6.6e-7 (PyTorch's:
// 1.2e-6); for x > 0 it is 1.4e-7 of the value. There is no division, no exponential and no branch.
//
// Several vectors at a time, because each step of the polynomial waits for the one before.
enum { gelu_vectors = 6 };

INLINE void gelu_tile(int vectors, float *values, const float *bias) {
    static const float coefficients[] = {
        0.128551931f,    -0.0641723387f, 0.0477376272f,   -0.0387927852f, 0.032070259f,
        -0.0260482603f,  0.020364567f,   -0.0149990779f,  0.0102278261f,  -0.0068199106f,
        0.00462178329f,  -0.00241864882f, 0.00072010438f, -0.00052913257f, 0.000631559693f,
        -0.000236417568f,
    };
    const float limit = 5.5f;
    vec x[gelu_vectors], t[gelu_vectors], r[gelu_vectors];
    UNROLL for (int u = 0; u < vectors; u++) {
        x[u] = load(values + u * LANES) + load(bias + u * LANES);
        const vec y = larger(smaller(x[u], splat(limit)), splat(-limit));
        t[u] = y * y * splat(2 / (limit * limit)) - splat(1);
        r[u] = splat(coefficients[15]);
    }
    // Not unrolled, or the compiler would compute one vector's chain after the other's.
    _Pragma("clang loop unroll(disable)") for (int i = 14; i >= 0; i--)
        UNROLL for (int u = 0; u < vectors; u++) r[u] = r[u] * t[u] + splat(coefficients[i]);
    UNROLL for (int u = 0; u < vectors; u++) {
        const vec y = larger(smaller(x[u], splat(limit)), splat(-limit));
        vec phi = y * r[u] + splat(0.5f);
        phi = x[u] < -limit ? splat(0) : phi;
        store(values + u * LANES, x[u] * phi);
    }
}

TARGET void AT_LEVEL(kernels_add_gelu)(
    float *values, size_t stride, const float *bias, size_t rows, size_t columns) {
    for (size_t i = 0; i < rows; i++, values += stride) {
        size_t j = 0;
        for (; j + gelu_vectors * LANES <= columns; j += gelu_vectors * LANES)
            gelu_tile(gelu_vectors, values + j, bias + j);
        for (; j < columns; j += LANES) gelu_tile(1, values + j, bias + j);
    }
}
