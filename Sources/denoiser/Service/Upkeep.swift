import Synchronization
import System

/// The thread that reads files for signals and for time, so that neither waits for storage.
///
/// A task asked for while it is under way is done once more afterwards, however often it was asked for.
final class Upkeep: Sendable {
    /// What may be asked for.
    enum Task: CaseIterable {
        case reload, reopenLog
    }

    private struct State {
        var asked: Set<Task> = []
    }

    private let state = Mutex(State())
    private let bell = Semaphore()

    /// Starts the thread, which lives as long as the process.
    ///
    /// - Parameters:
    ///   - patience: how long it may sleep where nothing is asked for.
    ///   - act: gets a task, or nil after that time.
    func start(
        patience: @escaping @Sendable () -> Duration, _ act: @escaping @Sendable (Task?) -> Void
    ) throws(ThreadRefusal) {
        try SystemThread { [self] in
            while true {
                guard let task = next() else {
                    bell.wait(until: .now + patience())
                    if state.withLock({ $0.asked.isEmpty }) { act(nil) }
                    continue
                }
                act(task)
            }
        }.detach()
    }

    /// Has `task` done soon; never waits.
    func ask(_ task: Task) {
        state.withLock { _ = $0.asked.insert(task) }
        bell.signal()
    }

    private func next() -> Task? {
        state.withLock { state in Task.allCases.first { state.asked.remove($0) != nil } }
    }
}
