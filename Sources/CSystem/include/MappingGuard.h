#ifndef CSYSTEM_MAPPING_GUARD_H
#define CSYSTEM_MAPPING_GUARD_H

#include <stddef.h>

// From now on a fault of storage in these bytes ends the process with one line that names `path`.
// At most 64 mappings are guarded at a time, and only with paths of up to 1,000 bytes.
void system_guard_mapping(const void *start, size_t length, const char *path);

// To be called before the bytes are unmapped.
void system_forget_mapping(const void *start);

#endif
