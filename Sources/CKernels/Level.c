// Each kernel's entry: the highest level that the processor has and the thread allows.

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
#define KERNEL(name, parameters, arguments) \
    void name##_baseline parameters; \
    void name##_x86_v3 parameters; \
    void name##_x86_v4 parameters; \
    void name parameters { \
        switch (kernels_level()) { \
            case kernels_x86_v4: name##_x86_v4 arguments; break; \
            case kernels_x86_v3: name##_x86_v3 arguments; break; \
            default: name##_baseline arguments; \
        } \
    }
#else
#define KERNEL(name, parameters, arguments) \
    void name##_baseline parameters; \
    void name parameters { name##_baseline arguments; }
#endif

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
