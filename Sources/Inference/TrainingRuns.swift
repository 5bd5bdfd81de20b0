internal import Synchronization

/// The training runs of a process: how many there were and are, how far, and whether they are to end.
public final class TrainingRuns: Sendable {
    /// What is known of them at one moment.
    public struct Statistics: Sendable {
        /// Runs under way, those included that wait for the model's lock.
        public internal(set) var underway = 0
        /// Runs that put a model live.
        public internal(set) var succeeded = 0
        /// Runs that did not.
        public internal(set) var failed = 0
        /// How far the run is that works; nil where none does.
        public internal(set) var progress: TrainingRun.Progress?
    }

    private let isOver = Atomic<Bool>(false)
    private let state = Mutex(Statistics())

    /// None is under way, and any may begin.
    public init() {}

    /// Ends the runs under way, and those that begin from now on, with nothing changed.
    public func cancel() { isOver.store(true, ordering: .relaxed) }

    /// How many are under way, those included that wait for the model's lock.
    public var underway: Int { statistics.underway }

    /// What is known of them now.
    public var statistics: Statistics { state.withLock { $0 } }

    var isCancelled: Bool { isOver.load(ordering: .relaxed) }

    /// Lets a run begin; false where so many are under way that one more would only wait for its refusal.
    func begin() -> Bool {
        state.withLock { state in
            guard state.underway < Self.most else { return false }
            state.underway += 1
            return true
        }
    }

    /// One that works and two that wait: each holds a request thread, of which others need most.
    private static let most = 3

    /// Notes how far the run is; of one process only one works at a time.
    func note(_ progress: TrainingRun.Progress) { state.withLock { $0.progress = progress } }

    func end(_ isTrained: Bool) {
        state.withLock { state in
            state.underway -= 1
            if isTrained { state.succeeded += 1 } else { state.failed += 1 }
            // Of several that end, the one that worked was the last to note anything.
            if state.underway == 0 || isTrained { state.progress = nil }
        }
    }
}
