internal import Synchronization

/// State behind a lock whose holders may wait for one another, each at a semaphore of its own.
///
/// Not a condition: glibc before 2.41 may lose one's signal (its bug 25847), and a text would wait for the next
/// one or for its deadline.
package final class Monitor<State: Sendable>: Sendable {
    private struct Guarded: Sendable {
        var state: State
        /// Where those sleep who wait, who began last at the end.
        var bells: [Semaphore] = []
    }

    private let guarded: Mutex<Guarded>

    package init(_ state: State) { guarded = Mutex(Guarded(state: state)) }

    /// Runs `body` with the state to itself.
    package func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        guarded.withLock { body(&$0.state) }
    }

    /// Runs `body` again after each wake-up until it gives a result.
    package func wait<Result: Sendable>(until body: (inout State) -> Result?) -> Result {
        let bell = Semaphore()
        while true {
            if let result = attempt(body, orRingAt: bell) { return result }
            bell.wait()
        }
    }

    /// The same, but gives up at `deadline`: nil, after `body` gave none once more.
    package func wait<Result: Sendable>(
        before deadline: ContinuousClock.Instant, until body: (inout State) -> Result?
    ) -> Result? {
        let bell = Semaphore()
        while deadline > .now {
            if let result = attempt(body, orRingAt: bell) { return result }
            bell.wait(until: deadline)
            guarded.withLock { $0.bells.removeAll { $0 === bell } }
        }
        return withLock(body)
    }

    /// The result of `body`; where there is none, `bell` rings at the next wake-up.
    private func attempt<Result: Sendable>(
        _ body: (inout State) -> Result?, orRingAt bell: Semaphore
    ) -> Result? {
        guarded.withLock { guarded in
            if let result = body(&guarded.state) { return result }
            guarded.bells.append(bell)
            return nil
        }
    }

    /// Wakes the one who began to wait last, where any of them will do.
    package func wakeOne() { guarded.withLock { $0.bells.popLast() }?.signal() }

    /// Wakes everyone who waits.
    package func wakeAll() {
        let bells = guarded.withLock { guarded in
            defer { guarded.bells = [] }
            return guarded.bells
        }
        for bell in bells { bell.signal() }
    }
}
