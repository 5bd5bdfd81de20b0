// In C because Swift's Glibc module leaves out what needs _GNU_SOURCE.
#define _GNU_SOURCE
#include "include/TimedWait.h"

#include <errno.h>
#include <time.h>

void system_wait(sem_t *semaphore, int64_t nanoseconds) {
    const int64_t second = 1000000000;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t part = until.tv_nsec + nanoseconds % second;
    until.tv_sec += nanoseconds / second + part / second;
    until.tv_nsec = part % second;
    while (sem_clockwait(semaphore, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {}
}
