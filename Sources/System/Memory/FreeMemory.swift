internal import CSystem

/// Gives memory that this process has freed back to the system.
///
/// Otherwise the allocator keeps it for the next allocation. The call is too slow for small
/// requests.
public func releaseFreeMemory() { system_release_free_memory() }

/// Lets all threads share at most `count` heaps of the C library; called before any thread starts.
///
/// By default each thread gets a heap, and each heap keeps the most that it ever needed. Fewer
/// heaps hold much less memory; small requests become a little slower.
public func limitThreadHeaps(to count: Int) { system_limit_heaps(Int32(clamping: max(count, 2))) }
