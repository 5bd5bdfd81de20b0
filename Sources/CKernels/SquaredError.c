#include "include/SquaredError.h"
#include "Dispatch.h"

DISPATCHED double ck_squared_error(const float *restrict y, const float *restrict target,
                                   float *restrict d_y, float factor, size_t count) {
#pragma clang fp reassociate(on)
    double total = 0;
    // Blocks keep the single-precision partial sums short.
    for (size_t start = 0; start < count; start += 1024) {
        const size_t end = start + 1024 < count ? start + 1024 : count;
        float sum = 0;
        for (size_t i = start; i < end; i++) {
            const float d = y[i] - target[i];
            sum += d * d;
        }
        total += sum;
    }
    if (d_y)
        for (size_t i = 0; i < count; i++) d_y[i] = factor * (y[i] - target[i]);
    return total;
}
