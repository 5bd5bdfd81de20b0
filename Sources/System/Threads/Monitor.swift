internal import Synchronization

/// State behind a lock, with waits until it changes; each waiter has a semaphore of its own.
///
/// Not a condition variable: glibc before 2.41 may lose its signal (bug 25847). A text would then
/// wait for the next signal or for its deadline.
package final class Monitor<State: Sendable>: Sendable {
    private struct Guarded: Sendable {
        var state: State
        /// The waiters' semaphores, in the order in which they began to wait.
        var waiters: [Semaphore] = []
    }

    private let guarded: Mutex<Guarded>

    package init(_ state: State) { guarded = Mutex(Guarded(state: state)) }

    /// Runs `body` with the state to itself.
    package func withLock<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        guarded.withLock { body(&$0.state) }
    }

    /// Runs `body` again after each wake-up until it gives a result.
    package func wait<Result: Sendable>(until body: (inout State) -> Result?) -> Result {
        let waiter = Semaphore()
        while true {
            if let result = attempt(body, orSignal: waiter) { return result }
            waiter.wait()
        }
    }

    /// The same, but gives up at `deadline`: nil, after `body` gave none once more.
    package func wait<Result: Sendable>(
        before deadline: ContinuousClock.Instant, until body: (inout State) -> Result?
    ) -> Result? {
        let waiter = Semaphore()
        while deadline > .now {
            if let result = attempt(body, orSignal: waiter) { return result }
            waiter.wait(until: deadline)
            guarded.withLock { $0.waiters.removeAll { $0 === waiter } }
        }
        return withLock(body)
    }

    /// The result of `body`; if there is none, `waiter` is signalled at the next wake-up.
    private func attempt<Result: Sendable>(
        _ body: (inout State) -> Result?, orSignal waiter: Semaphore
    ) -> Result? {
        guarded.withLock { guarded in
            if let result = body(&guarded.state) { return result }
            guarded.waiters.append(waiter)
            return nil
        }
    }

    /// Wakes the waiter that began last, if any one of them will do.
    package func wakeOne() { guarded.withLock { $0.waiters.popLast() }?.signal() }

    /// Wakes all waiters.
    package func wakeAll() {
        let waiters = guarded.withLock { guarded in
            defer { guarded.waiters = [] }
            return guarded.waiters
        }
        for waiter in waiters { waiter.signal() }
    }
}
