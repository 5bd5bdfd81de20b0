// A chroot or a container may have no /proc, and a process no descriptor left to read it. Swift's runtime takes the
// arguments from there, and without it ends the process before main: it asks for its own path there, only to look
// for a program that prints backtraces.

#include <stdlib.h>
#include <unistd.h>

// Of Swift's runtime, which finds the arguments before the environment's first place otherwise.
void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) __attribute__((weak));

// After OpenBLAS's start, which puts the environment back in its place, and before Swift's.
__attribute__((constructor(102))) static void start_without_proc(int argc, char **argv) {
    if (!_swift_stdlib_overrideUnsafeArgvArgc) return;
    _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
    // The runtime takes a path that is given as it is. The environment moves, so that the arguments no longer stand
    // before it.
    if (access("/proc/self/exe", F_OK) != 0) setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/", 1);
}
