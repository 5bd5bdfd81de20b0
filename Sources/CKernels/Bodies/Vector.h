// A vector of LANES floats, as wide as the level that includes this has registers.

#ifndef LANES
#error "a level defines LANES, SUFFIX and TARGET before it includes the kernels"
#endif

#include <stddef.h>
#include <stdint.h>
#if LANES == 16
#include <immintrin.h>
#endif

typedef float vec __attribute__((ext_vector_type(LANES)));
typedef int32_t ivec __attribute__((ext_vector_type(LANES)));
typedef float vec2 __attribute__((ext_vector_type(2)));
typedef float vec4 __attribute__((ext_vector_type(4)));
typedef float vec8 __attribute__((ext_vector_type(8)));
typedef float vec2_unaligned __attribute__((ext_vector_type(2), aligned(4)));
typedef float vec_unaligned __attribute__((ext_vector_type(LANES), aligned(4)));
typedef float vec4_unaligned __attribute__((ext_vector_type(4), aligned(4)));

#define JOIN_(name, suffix) name##suffix
#define JOIN(name, suffix) JOIN_(name, suffix)
// The name of a kernel at this level.
#define AT_LEVEL(name) JOIN(name, SUFFIX)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE vec load(const float *from) { return *(const vec_unaligned *)from; }
INLINE void store(float *to, vec v) { *(vec_unaligned *)to = v; }
INLINE vec splat(float x) { return (vec)x; }
INLINE vec larger(vec a, vec b) { return a > b ? a : b; }
INLINE vec smaller(vec a, vec b) { return a < b ? a : b; }

#define LOW(v, ...) __builtin_shufflevector(v, v, __VA_ARGS__)

#if LANES == 16
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
#elif LANES == 8
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7}
#else
#define LANE_NUMBERS {0, 1, 2, 3}
#endif

// In each group of four lanes: a0 b0 a1 b1, or a2 b2 a3 b3.
INLINE vec interleave_low(vec a, vec b) {
#if LANES == 16
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
#elif LANES == 8
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
#else
    return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}

INLINE vec interleave_high(vec a, vec b) {
#if LANES == 16
    return __builtin_shufflevector(
        a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
#elif LANES == 8
    return __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
#else
    return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// In each group of four lanes: a0 a1 b0 b1, or a2 a3 b2 b3.
INLINE vec pairs_low(vec a, vec b) {
#if LANES == 16
    return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
#elif LANES == 8
    return __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
#else
    return __builtin_shufflevector(a, b, 0, 1, 4, 5);
#endif
}

INLINE vec pairs_high(vec a, vec b) {
#if LANES == 16
    return __builtin_shufflevector(
        a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
#elif LANES == 8
    return __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
#else
    return __builtin_shufflevector(a, b, 2, 3, 6, 7);
#endif
}

// The group of four lanes with this number.
INLINE vec4 lanes_of_four(vec v, int group) { return ((const vec4 *)&v)[group]; }

// Group L of four[q] holds lane 4 · L + q of each of four vectors.
INLINE void transpose_four(const vec v[4], vec four[4]) {
    const vec low01 = interleave_low(v[0], v[1]), low23 = interleave_low(v[2], v[3]);
    const vec high01 = interleave_high(v[0], v[1]), high23 = interleave_high(v[2], v[3]);
    four[0] = pairs_low(low01, low23);
    four[1] = pairs_high(low01, low23);
    four[2] = pairs_low(high01, high23);
    four[3] = pairs_high(high01, high23);
}

// Lane i of the result is the sum of vector i of four, each reduced in the same order.
INLINE vec4 sums_of_four(vec a, vec b, vec c, vec d) {
    const vec ab = interleave_low(a, b) + interleave_high(a, b);
    const vec cd = interleave_low(c, d) + interleave_high(c, d);
    const vec all = pairs_low(ab, cd) + pairs_high(ab, cd);
#if LANES == 16
    vec8 half = LOW(all, 0, 1, 2, 3, 4, 5, 6, 7) + LOW(all, 8, 9, 10, 11, 12, 13, 14, 15);
    return LOW(half, 0, 1, 2, 3) + LOW(half, 4, 5, 6, 7);
#elif LANES == 8
    return LOW(all, 0, 1, 2, 3) + LOW(all, 4, 5, 6, 7);
#else
    return all;
#endif
}

INLINE float sum(vec v) { return sums_of_four(v, v, v, v)[0]; }

INLINE float largest(vec v) {
#if LANES == 16
    vec8 upper = LOW(v, 8, 9, 10, 11, 12, 13, 14, 15), half = LOW(v, 0, 1, 2, 3, 4, 5, 6, 7);
    half = half > upper ? half : upper;
#elif LANES == 8
    vec8 half = v;
#endif
#if LANES >= 8
    vec4 high = LOW(half, 4, 5, 6, 7), low = LOW(half, 0, 1, 2, 3);
    low = low > high ? low : high;
#else
    vec4 low = v;
#endif
    vec4 other = LOW(low, 2, 3, 0, 1);
    low = low > other ? low : other;
    other = LOW(low, 1, 0, 3, 2);
    low = low > other ? low : other;
    return low[0];
}
