#ifndef DISPATCH_H
#define DISPATCH_H

// One body, compiled for each level of the x86-64 instruction set and chosen when the program starts.
#if defined(__x86_64__)
#define DISPATCHED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DISPATCHED
#endif

#define INLINED static inline __attribute__((always_inline))

#endif
