// In C because Swift's Glibc module leaves out what needs _GNU_SOURCE.
#define _GNU_SOURCE
#include "include/CoreChoice.h"

#include <sched.h>

int system_current_core(void) { return sched_getcpu(); }

void system_keep_off(pthread_t thread, int core) {
    cpu_set_t cores;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof cores, &cores) != 0) return;
    CPU_CLR(core, &cores);
    if (CPU_COUNT(&cores) > 0) pthread_setaffinity_np(thread, sizeof cores, &cores);
}
