#ifndef CSYSTEM_CORE_CHOICE_H
#define CSYSTEM_CORE_CHOICE_H

#include <pthread.h>

// The core that the caller runs on; negative if the system does not tell.
int system_current_core(void);

// Lets `thread` run on the cores that the caller may run on, except `core`. A hint: if there is no
// other core, or the system refuses, nothing changes.
void system_keep_off(pthread_t thread, int core);

#endif
