#if defined(__x86_64__)
#define LANES 16
#define SUFFIX _x86_v4
// Names features, because "arch=x86-64-v4" makes the compiler prefer vectors of half the width.
#define TARGET __attribute__((target("arch=x86-64-v3,avx512f,avx512bw,avx512cd,avx512dq,avx512vl")))
#define PRODUCT_ROWS 6
#define ATTENTION_ROWS 6

#include "Bodies/All.h"
#endif
