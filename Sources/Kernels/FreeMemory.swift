internal import CKernels

/// Gives memory that this process has freed back to the system; takes about a millisecond.
///
/// The allocator keeps it otherwise, for the next who needs some.
public func releaseFreeMemory() { release_free_memory() }
