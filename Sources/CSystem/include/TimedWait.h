#ifndef CSYSTEM_TIMED_WAIT_H
#define CSYSTEM_TIMED_WAIT_H

#include <semaphore.h>
#include <stdint.h>

// Takes one of `semaphore`; waits at most so long, and is not affected by changes of the clock.
void system_wait(sem_t *semaphore, int64_t nanoseconds);

#endif
