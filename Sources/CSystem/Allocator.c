#include "Allocator.h"

#include <features.h>

#ifdef __GLIBC__
#include <malloc.h>

// Blocks of up to 32 MiB come from the arenas, as they do by default once one was freed. A request
// can then use what an earlier one has freed. A fresh mapping for each costs large requests page
// faults.
__attribute__((constructor)) static void start_allocator(void) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

void system_release_free_memory(void) { malloc_trim(0); }

void system_limit_heaps(int count) { mallopt(M_ARENA_MAX, count); }
#else
void system_release_free_memory(void) {}

void system_limit_heaps(int count) { (void)count; }
#endif
