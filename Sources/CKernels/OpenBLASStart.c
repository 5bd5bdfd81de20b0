// OpenBLAS reads its settings and starts its threads in a constructor, before main. This
// constructor runs earlier, sets both, and starts OpenBLAS itself. Settings that are in the
// environment already win. It can run earlier because OpenBLAS is linked from its archive into the
// same executable, with a higher priority number.

#include <stdlib.h>

extern char **environ;
void gotoblas_init(void); // OpenBLAS's own constructor; a second call does nothing.

#if defined(__x86_64__)
// The choice is by features. OpenBLAS 0.3.21 knows processors by model number and runs slow SSE3
// kernels on newer ones. It also trusts the number if a virtual machine hides features of the
// model: QEMU's default processor looks like an Opteron without 3DNow!, on which OpenBLAS's kernels
// for Opterons end in SIGILL.
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
    // Swift finds the program's arguments by walking back from the original environment, so it must
    // be in its place again afterwards.
    char **original = environ;
    // One thread: the callers are parallel themselves, and OpenBLAS's own threads spin.
    setenv("OPENBLAS_NUM_THREADS", "1", 0);
    const char *core = core_type();
    if (core) setenv("OPENBLAS_CORETYPE", core, 0);
    gotoblas_init();
    environ = original;
}
