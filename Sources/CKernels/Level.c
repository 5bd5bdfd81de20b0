// Each kernel's entry runs the highest level that the processor has and the thread allows, unless a
// lower level has less to do.

#include "include/CKernels.h"

static _Thread_local int limit = kernels_x86_v4;
static int supported = kernels_baseline;

__attribute__((constructor(102))) static void find_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4"))
        supported = kernels_x86_v4;
    else if (__builtin_cpu_supports("x86-64-v3"))
        supported = kernels_x86_v3;
#endif
}

int kernels_level(void) { return limit < supported ? limit : supported; }

void kernels_limit_level(int level) { limit = level; }

#if defined(__x86_64__)
#define KERNEL_AT(level, name, parameters, arguments) \
    void name##_baseline parameters; \
    void name##_x86_v3 parameters; \
    void name##_x86_v4 parameters; \
    void name parameters { \
        switch (level) { \
            case kernels_x86_v4: name##_x86_v4 arguments; break; \
            case kernels_x86_v3: name##_x86_v3 arguments; break; \
            default: name##_baseline arguments; \
        } \
    }
#else
#define KERNEL_AT(level, name, parameters, arguments) \
    void name##_baseline parameters; \
    void name parameters { (void)(level); name##_baseline arguments; }
#endif
#define KERNEL(name, parameters, arguments) KERNEL_AT(kernels_level(), name, parameters, arguments)

KERNEL(
    kernels_add_gelu,
    (float *values, size_t stride, const float *bias, size_t rows, size_t columns),
    (values, stride, bias, rows, columns))

KERNEL(
    kernels_add_layer_norm,
    (float *hidden, const float *addend, const float *bias, const float *gain, const float *shift,
        float epsilon, size_t rows, size_t columns),
    (hidden, addend, bias, gain, shift, epsilon, rows, columns))

KERNEL(
    kernels_attention,
    (float *query, const float *keys, const float *values, size_t stride, size_t key_stride,
        const float *query_bias, const float *value_bias, size_t heads, size_t length,
        float *scores),
    (query, keys, values, stride, key_stride, query_bias, value_bias, heads, length, scores))

KERNEL(
    kernels_few_rows_product,
    (const float *a, size_t a_stride, const float *b, size_t b_stride, float *output,
        size_t row_stride, size_t column_stride, size_t m, size_t n, size_t k),
    (a, a_stride, b, b_stride, output, row_stride, column_stride, m, n, k))

KERNEL(
    kernels_outer_product,
    (const float *a, size_t a_row, size_t a_depth, const float *b, size_t b_stride, float *output,
        size_t row_stride, size_t rows, size_t columns, size_t depth),
    (a, a_row, a_depth, b, b_stride, output, row_stride, rows, columns, depth))

KERNEL(
    kernels_adam,
    (float *x, float *m, float *v, const float *gradient, size_t count,
        struct kernels_adam_step step),
    (x, m, v, gradient, count, step))

KERNEL(
    kernels_adam_outer_product,
    (float *x, float *m, float *v, const float *a, size_t a_row, size_t a_depth, const float *b,
        size_t b_stride, size_t rows, size_t columns, size_t depth,
        struct kernels_adam_step step),
    (x, m, v, a, a_row, a_depth, b, b_stride, rows, columns, depth, step))

KERNEL(
    kernels_add_bias,
    (float *x, size_t stride, const float *bias, bool rectify, size_t rows, size_t columns),
    (x, stride, bias, rectify, rows, columns))

KERNEL(
    kernels_add_row_bias,
    (float *x, size_t stride, const float *bias, bool rectify, size_t rows, size_t columns),
    (x, stride, bias, rectify, rows, columns))

KERNEL(
    kernels_add_row_bias_to_parts,
    (float *y, const float *a, const float *b, const float *bias, bool rectify, size_t rows,
        size_t columns),
    (y, a, b, bias, rectify, rows, columns))

KERNEL(
    kernels_rectifier_backward,
    (float *d_x, const float *a, const float *b, const float *y, size_t stride, size_t rows,
        size_t columns),
    (d_x, a, b, y, stride, rows, columns))

KERNEL(
    kernels_column_sums,
    (float *sums, const float *x, size_t stride, size_t rows, size_t columns),
    (sums, x, stride, rows, columns))

KERNEL(
    kernels_squared_error,
    (double *sum, float *d_y, const float *y, const float *target, float factor, size_t stride,
        size_t rows, size_t columns),
    (sum, d_y, y, target, factor, stride, rows, columns))

KERNEL(
    kernels_add_gaussian,
    (float *y, const float *x, float deviation, uint64_t key, uint64_t counter, size_t count),
    (y, x, deviation, key, counter, count))

KERNEL(
    kernels_transpose,
    (const float *x, size_t x_stride, float *y, size_t y_stride, size_t rows, size_t columns),
    (x, x_stride, y, y_stride, rows, columns))

KERNEL(
    kernels_squared_lengths,
    (double *lengths, const float *x, size_t rows, size_t columns),
    (lengths, x, rows, columns))

KERNEL(
    kernels_levels_of_lengths,
    (float *levels, const float *x, const float *shift, size_t rows, size_t columns),
    (levels, x, shift, rows, columns))

KERNEL(
    kernels_scale_rows,
    (float *y, const float *x, const double *factors, size_t rows, size_t columns),
    (y, x, factors, rows, columns))

KERNEL(
    kernels_network_input,
    (float *input, size_t stride, const float *y, const float *mean, const float *w,
        const float *s, size_t rows, size_t columns, size_t features, float spacing),
    (input, stride, y, mean, w, s, rows, columns, features, spacing))

KERNEL(
    kernels_gated,
    (float *gated, const float *h, size_t rows, size_t hidden),
    (gated, h, rows, hidden))

KERNEL(
    kernels_gated_backward,
    (float *h, const float *d_gated, size_t rows, size_t hidden),
    (h, d_gated, rows, hidden))

KERNEL(
    kernels_posterior,
    (float *output, const float *y, const float *mean, const float *r, const float *w,
        const float *s, size_t rows, size_t columns),
    (output, y, mean, r, w, s, rows, columns))

KERNEL(
    kernels_posterior_loss,
    (double *sum, float *r, const float *y, const float *target, const float *w, const float *s,
        const float *weights, size_t rows, size_t columns),
    (sum, r, y, target, w, s, weights, rows, columns))

KERNEL(
    kernels_squared_ways,
    (double *ways, const float *f, const float *x, const double *scales, size_t rows,
        size_t columns),
    (ways, f, x, scales, rows, columns))

KERNEL(
    kernels_blend,
    (float *f, const float *x, const double *amounts, const double *scales, size_t rows,
        size_t columns),
    (f, x, amounts, scales, rows, columns))

KERNEL(
    kernels_weighted_distances,
    (float *sums, const float *y, const float *mean, const float *factors,
        const float *precisions, size_t rows, size_t levels, size_t columns),
    (sums, y, mean, factors, precisions, rows, levels, columns))

KERNEL(
    kernels_add_to,
    (float *x, const float *y, size_t count),
    (x, y, count))

// The level for rows that lie in lanes. With up to 8 rows half of AVX-512's lanes would be empty,
// and the processor would do twice the work.
static int level_for(size_t rows) {
    const int level = kernels_level();
    return level == kernels_x86_v4 && rows <= 8 ? kernels_x86_v3 : level;
}

KERNEL_AT(
    level_for(rows), kernels_pack_rows,
    (const float *x, size_t stride, size_t rows, size_t depth, float *panels),
    (x, stride, rows, depth, panels))

KERNEL_AT(
    level_for(rows), kernels_packed_product,
    (const float *panels, const float *packed, size_t six_stride, float *output, size_t row_stride,
        size_t column_stride, size_t rows, size_t columns, size_t depth, bool adds),
    (panels, packed, six_stride, output, row_stride, column_stride, rows, columns, depth, adds))
