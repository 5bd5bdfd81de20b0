#define LANES 4
#define SUFFIX _baseline
#define TARGET
#if defined(__aarch64__)  // 32 vector registers
#define PRODUCT_ROWS 6
#define ATTENTION_ROWS 6
#else  // 16
#define PRODUCT_ROWS 3
#define ATTENTION_ROWS 3
#endif

#include "Bodies/All.h"
