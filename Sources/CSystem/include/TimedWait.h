#ifndef CSYSTEM_TIMED_WAIT_H
#define CSYSTEM_TIMED_WAIT_H

#include <semaphore.h>
#include <stdint.h>

// Takes one of `semaphore`, waiting for it for so long at most, whatever happens to the time of day.
void system_wait(sem_t *semaphore, int64_t nanoseconds);

#endif
