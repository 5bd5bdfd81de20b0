#ifndef CKERNELS_GAUSSIAN_H
#define CKERNELS_GAUSSIAN_H

#include <stddef.h>
#include <stdint.h>

// y[i] = x[i] + deviation · z(key, counter, i) with z standard normal; y may be x.
//
// z comes from a counter (Philox 4x32-10; Salmon et al., SC 2011), so equal arguments give equal
// noise, and any part of a stream can be made alone. One counter value is used per 4 elements,
// starting at `counter`.
void kernels_add_gaussian(
    float *y, const float *x, float deviation, uint64_t key, uint64_t counter, size_t count);

#endif
