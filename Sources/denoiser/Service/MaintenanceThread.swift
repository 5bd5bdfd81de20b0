import Synchronization
import System

/// The thread that reads files for signals and timers, so that neither waits for storage.
///
/// A task that is asked for while it runs is done once more afterwards, however often it was asked
/// for.
final class MaintenanceThread: Sendable {
    /// What may be asked for.
    enum Task: CaseIterable {
        case reload, reopenLog
    }

    private let asked = Mutex<Set<Task>>([])
    private let wakeUp = Semaphore()

    /// Starts the thread, which lives as long as the process.
    ///
    /// - Parameters:
    ///   - interval: how long the thread may sleep if nothing is asked for.
    ///   - act: gets a task, or nil after that time.
    func start(
        interval: Duration, _ act: @escaping @Sendable (Task?) -> Void
    ) throws(ThreadRefusal) {
        try SystemThread { [self] in
            while true {
                if let task = next() {
                    act(task)
                    continue
                }
                wakeUp.wait(until: .now + interval)
                if asked.withLock({ $0.isEmpty }) { act(nil) }
            }
        }.detach()
    }

    /// Has `task` done soon; never waits.
    func ask(_ task: Task) {
        asked.withLock { _ = $0.insert(task) }
        wakeUp.signal()
    }

    private func next() -> Task? {
        asked.withLock { asked in Task.allCases.first { asked.remove($0) != nil } }
    }
}

/// When to try again what failed for a passing reason: after 1, 2, 4 … 60 seconds.
struct Retry: Sendable {
    /// How long to wait.
    let pause: Duration

    /// When to try again.
    let due: ContinuousClock.Instant

    /// Waits a second, or twice as long as after the last try.
    init(after last: Retry?) {
        pause = min(last.map { $0.pause * 2 } ?? .seconds(1), .seconds(60))
        due = .now + pause
    }
}
