internal import CSystem

/// Gives memory that this process has freed back to the system; takes about a millisecond.
///
/// The allocator keeps it otherwise, for the next allocation.
public func releaseFreeMemory() { system_release_free_memory() }

/// Lets all threads share at most `count` heaps of the C library; called before any thread starts.
///
/// By default each thread gets a heap, and each heap keeps the most that it ever needed. Fewer heaps
/// hold much less memory and cost small requests a tenth of their rate.
public func limitThreadHeaps(to count: Int) { system_limit_heaps(Int32(clamping: max(count, 2))) }
