/// When something is tried again that failed for a passing reason: after 1, 2, 4 … 60 seconds.
struct Retry: Sendable {
    /// How long to wait.
    let pause: Duration

    /// Until when.
    let due: ContinuousClock.Instant

    /// Begins, or goes on after one try more.
    init(after last: Retry?) {
        pause = min(last.map { $0.pause * 2 } ?? .seconds(1), .seconds(60))
        due = .now + pause
    }
}
