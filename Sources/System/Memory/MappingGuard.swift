internal import CSystem

/// Ends the process with a line that names the file when the storage of a mapped file fails.
///
/// Without it, SIGBUS ends the process without a message. Other faults act as before.
package enum MappingGuard {
    /// Names the file behind the `count` bytes at `base`.
    @unsafe
    package static func watch(_ base: UnsafeRawPointer, count: Int, path: String) {
        unsafe system_guard_mapping(base, count, path)
    }

    /// To be called before the bytes at `base` are unmapped.
    @unsafe
    package static func forget(_ base: UnsafeRawPointer) { unsafe system_forget_mapping(base) }
}
