#if defined(__x86_64__)
#define LANES 8
#define SUFFIX _x86_v3
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define PRODUCT_ROWS 3
#define ATTENTION_ROWS 3

#include "Bodies/All.h"
#endif
