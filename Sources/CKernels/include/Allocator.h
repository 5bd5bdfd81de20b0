#pragma once

/// Gives memory that is free within the allocator's arenas back to the system.
void release_free_memory(void);
