// exp(x) for x ≤ 0: 2ⁿ · exp(r), r = x − n·ln 2 in two parts so that no product needs to be exact.
// The polynomial (own minimax fit on |r| ≤ ln 2 / 2) errs by 3e-9; below -87 the result stays at
// exp(-87), 1.6e-38, which a softmax cannot tell from 0.
INLINE vec exponential(vec x) {
    x = larger(x, splat(-87));
    // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the low bits.
    vec shifted = x * splat(1.44269504f) + splat(12582912);
    vec n = shifted - splat(12582912);
    vec r = x - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vec p = splat(0.00139504788f);
    p = p * r + splat(0.00836888224f);
    p = p * r + splat(0.041666206f);
    p = p * r + splat(0.166665189f);
    p = p * r + splat(0.5f);
    p = p * r + splat(1);
    p = p * r + splat(1);
    union {
        vec floats;
        ivec whole;
    } bits = {shifted}, result = {p};
    result.whole += bits.whole << 23;
    return result.floats;
}
