#include "include/Adam.h"
#include "Dispatch.h"
#include <math.h>

DISPATCHED void ck_adam(float *restrict x, const float *restrict gradient, float *restrict m,
                        float *restrict v, float step_size, float root_correction2,
                        float rest1, float beta2, float rest2, float epsilon, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        m[i] += (g - m[i]) * rest1;
        v[i] = beta2 * v[i] + rest2 * g * g;
        x[i] -= step_size * m[i] / (sqrtf(v[i]) / root_correction2 + epsilon);
    }
}
