import Synchronization

/// How many requests came, how long ago the last one was seen, and whether one hangs.
final class RequestActivity: Sendable {
    private struct State {
        var last = ContinuousClock.now
        /// When each request under way must have ended, by its number.
        var underway: [Int: ContinuousClock.Instant] = [:]
        var number = 0
    }

    private let answered = Atomic<Int>(0)
    private let state = Mutex(State())

    /// Requests answered.
    var count: Int { answered.load(ordering: .relaxed) }

    /// Since the last request began or ended.
    var idleTime: Duration { state.withLock { $0.last }.duration(to: .now) }

    /// Whether a request is under way that should have ended long ago.
    var isStuck: Bool {
        let now = ContinuousClock.now
        return state.withLock { $0.underway.values.contains { $0 < now } }
    }

    /// Notes that a request began, which hangs if it has not ended by `latest`; returns its number.
    func begin(endingBy latest: ContinuousClock.Instant) -> Int {
        state.withLock { state in
            state.last = .now
            state.number += 1
            state.underway[state.number] = latest
            return state.number
        }
    }

    /// Notes that the request with that number has ended.
    func end(_ number: Int) {
        answered.add(1, ordering: .relaxed)
        state.withLock { state in
            state.last = .now
            state.underway[number] = nil
        }
    }
}
