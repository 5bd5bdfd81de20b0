#ifndef CKERNELS_PREFETCH_H
#define CKERNELS_PREFETCH_H

#include <stddef.h>

// Prefetches `count` elements, at least one.
static inline void kernels_prefetch(const float *x, size_t count) {
    for (size_t i = 0; i < count; i += 16) __builtin_prefetch(x + i);
    // They may begin in the middle of a line.
    __builtin_prefetch(x + count - 1);
}

#endif
