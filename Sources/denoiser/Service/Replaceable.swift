import Synchronization

/// A value that threads share and that can be replaced while they use it.
final class Replaceable<Value: Sendable>: Sendable {
    private let current: Mutex<Value>

    init(_ value: Value) { current = Mutex(value) }

    /// The value of now; a caller that keeps it keeps it whole.
    var value: Value { current.withLock { $0 } }

    /// Puts `next` in the place of the value before.
    ///
    /// The value before ends outside of the lock: its end may wait for threads that need the lock.
    func replace(with next: Value) {
        _ = current.withLock { value in
            defer { value = next }
            return value
        }
    }
}
