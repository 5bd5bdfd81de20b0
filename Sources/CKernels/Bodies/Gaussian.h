// ln(u) for u in (0, 1]: u = m · 2^e with m in [√½, √2), ln m by the series of
// 2 artanh((m-1)/(m+1)).
INLINE float log_unit(float u) {
    uint32_t bits;
    memcpy(&bits, &u, sizeof bits);
    const uint32_t shifted = bits - 0x3F3504F3u; // the bits of √½
    const int32_t exponent = (int32_t)shifted >> 23;
    const uint32_t mantissa = (shifted & 0x007FFFFFu) + 0x3F3504F3u;
    float m;
    memcpy(&m, &mantissa, sizeof m);
    const float s = (m - 1.0f) / (m + 1.0f);
    const float t = s * s;
    const float p = 2.0f + t * (0.66666667f + t * (0.4f + t * (0.28571429f + t * 0.22222222f)));
    return (float)exponent * 0.69314718f + s * p;
}

// cos and sin of 2π(turn) for turn in [-1/2, 1/2): Taylor series of both within an eighth of a turn
// around the nearest quarter, then exchanged and signed as the quarter demands.
INLINE void circle(float turn, float *cosine, float *sine) {
    const float quarter = rintf(turn * 4.0f);
    const float a = (turn - quarter * 0.25f) * 6.2831853f;
    const float t = a * a;
    const float s =
        a * (1.0f + t * (-0.16666667f + t * (8.3333333e-3f + t * (-1.9841270e-4f + t * 2.7557319e-6f))));
    const float c =
        1.0f + t * (-0.5f + t * (4.1666667e-2f + t * (-1.3888889e-3f + t * 2.4801587e-5f)));
    const int32_t q = (int32_t)quarter & 3;
    const float x = q & 1 ? s : c;
    const float y = q & 1 ? c : s;
    *cosine = q == 1 || q == 2 ? -x : x;
    *sine = q >= 2 ? -y : y;
}

// Two normals from two words (Box and Muller, 1958).
INLINE void normals(uint32_t a, uint32_t b, float *first, float *second) {
    const float u = ((float)(a >> 8) + 1.0f) * 0x1p-24f; // (0, 1]
    const float turn = (float)(int32_t)(b >> 8) * 0x1p-24f - 0.5f;
    const float radius = sqrtf(-2.0f * log_unit(u));
    float cosine, sine;
    circle(turn, &cosine, &sine);
    *first = radius * cosine;
    *second = radius * sine;
}

INLINE void philox(uint64_t key, uint64_t counter, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        const uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

TARGET void AT_LEVEL(kernels_add_gaussian)(
    float *y, const float *x, float deviation, uint64_t key, uint64_t counter, size_t count) {
    // The same order of words at every level, so that a seed gives the same numbers.
    enum { lanes = 16 };
    for (size_t start = 0; start < count; start += 4 * lanes) {
        float z[4 * lanes];
        for (size_t lane = 0; lane < lanes; lane++) {
            uint32_t words[4];
            philox(key, counter + start / 4 + lane, words);
            normals(words[0], words[1], &z[lane], &z[lanes + lane]);
            normals(words[2], words[3], &z[2 * lanes + lane], &z[3 * lanes + lane]);
        }
        const size_t part = count - start < 4 * lanes ? count - start : 4 * lanes;
        for (size_t i = 0; i < part; i++) y[start + i] = x[start + i] + deviation * z[i];
    }
}
