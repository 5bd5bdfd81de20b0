#ifndef CSYSTEM_MAPPING_GUARD_H
#define CSYSTEM_MAPPING_GUARD_H

#include <stddef.h>

// From now on a fault of storage inside these bytes ends the process with one line that names `path`.
// Beyond a few dozen at a time, and for a longer path than 1,000 bytes, the fault is like any other.
void system_guard_mapping(const void *start, size_t length, const char *path);

// To be called before the bytes are unmapped.
void system_forget_mapping(const void *start);

#endif
