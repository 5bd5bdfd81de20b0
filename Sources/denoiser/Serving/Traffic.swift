import Synchronization

/// How many requests came, and when the last one was seen.
final class Traffic: Sendable {
    private let answered = Atomic<Int>(0)
    private let last = Mutex(ContinuousClock.now)

    /// Requests answered.
    var count: Int { answered.load(ordering: .relaxed) }

    /// Since the last request began or ended.
    var quiet: Duration { last.withLock { $0 }.duration(to: .now) }

    func begin() { last.withLock { $0 = .now } }

    func end() {
        answered.add(1, ordering: .relaxed)
        last.withLock { $0 = .now }
    }
}
