#ifndef CSYSTEM_ALLOCATOR_H
#define CSYSTEM_ALLOCATOR_H

// Gives memory that is free within the allocator's arenas back to the system.
void system_release_free_memory(void);

// Lets all threads share at most `count` arenas.
void system_limit_heaps(int count);

#endif
