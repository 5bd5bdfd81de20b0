#ifndef CKERNELS_LEVEL_H
#define CKERNELS_LEVEL_H

// Every kernel is compiled once for each level; the highest that the processor has is run.
enum kernels_level {
    kernels_baseline = 0,  // what every processor of the architecture has (SSE2; NEON)
    kernels_x86_v3 = 1,    // AVX2 and FMA
    kernels_x86_v4 = 2,    // AVX-512 F, BW, CD, DQ, VL
};

// The level of this thread's next kernel, unless a lower one has less to do.
int kernels_level(void);

// Keeps this thread at or below `level`, so that tests reach the code for older processors.
void kernels_limit_level(int level);

#endif
