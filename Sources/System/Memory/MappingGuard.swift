internal import CSystem

/// Lets a fault of storage in a mapped file end the process with a line that names the file.
///
/// Without it, SIGBUS ends the process without a word. Faults elsewhere stay what they are.
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
