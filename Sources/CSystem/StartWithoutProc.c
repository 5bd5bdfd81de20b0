// A chroot or a container may have no /proc, and a process may have no descriptor left to read it.
// Swift's runtime reads the arguments from there. It also asks for its own path there, only to find
// a program that prints backtraces, and ends the process before main if it gets none.

#include <stdlib.h>
#include <unistd.h>

// Swift's runtime; without this call it looks for the arguments before the environment's first
// entry.
void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc) __attribute__((weak));

// After OpenBLAS's start, which restores the environment's place, and before Swift's.
__attribute__((constructor(102))) static void start_without_proc(int argc, char **argv) {
    if (!_swift_stdlib_overrideUnsafeArgvArgc) return;
    _swift_stdlib_overrideUnsafeArgvArgc(argv, argc);
    // The runtime does not check a path that it is given. setenv moves the environment, so that the
    // arguments no longer lie before it.
    if (access("/proc/self/exe", F_OK) != 0)
        setenv("SWIFT_BACKTRACE", "enable=no,swift-backtrace=/", 1);
}
