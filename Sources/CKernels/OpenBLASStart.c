// OpenBLAS reads its settings and starts its threads in a constructor, before main. This one runs
// earlier (a lower priority number, in the same executable, which is why OpenBLAS is linked from its
// archive), settles both, and starts OpenBLAS itself. What the environment says already wins.

#include <stdlib.h>

extern char **environ;
void gotoblas_init(void); // OpenBLAS's own constructor; a second call does nothing.

#if defined(__x86_64__)
// OpenBLAS 0.3.21 knows processors by model number and takes SSE3 kernels for one newer than itself
// (measured on family 6 model 207: 32 GFLOP/s a core so, 154 with SkylakeX). It also trusts the
// number where a virtual machine hides what the model had: QEMU's default processor poses as an
// Opteron without its 3DNow!, and OpenBLAS's kernels for that end in SIGILL. Choose by features.
static const char *core_type(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
    if (__builtin_cpu_supports("avx")) return "Sandybridge";
    if (__builtin_cpu_supports("sse4.2")) return "Nehalem";
    return "Prescott"; // SSE3, which only the first x86-64 processors of 2003 lack
}
#else
static const char *core_type(void) { return NULL; }
#endif

__attribute__((constructor(101))) static void start_openblas(void) {
    // Swift finds the program's arguments by walking back from the original environment, so that has
    // to be in its place again afterwards.
    char **original = environ;
    // One thread: the callers are parallel themselves, and OpenBLAS's own threads spin.
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    const char *core = core_type();
    if (core) setenv("OPENBLAS_CORETYPE", core, 0);
    gotoblas_init();
    environ = original;
}
