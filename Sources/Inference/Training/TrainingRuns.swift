internal import Synchronization

/// The training runs of a process: how many there were and are, how far, and whether they are to
/// end.
public final class TrainingRuns: Sendable {
    /// What is known of them at one moment.
    public struct Statistics: Sendable {
        /// Runs under way, those included that wait for the model's lock.
        public internal(set) var underway = 0
        /// Runs that put a model live.
        public internal(set) var succeeded = 0
        /// Runs that made a version which is not live, because it is worse than doing nothing.
        public internal(set) var kept = 0
        /// Runs that made none.
        public internal(set) var failed = 0
        /// How far the run is that works; nil if none does.
        public internal(set) var progress: TrainingRun.Progress?
    }

    /// How a run ended.
    enum End {
        case live, kept, failed
    }

    private let isOver = Atomic<Bool>(false)
    private let state = Mutex(Statistics())

    /// How many may be under way: all but one only wait, and each holds a thread that others need.
    private let most: Int

    /// None is under way, and `most` may begin.
    public init(most: Int = .max) { self.most = most }

    /// Ends the runs under way, and those that begin from now on, with nothing changed.
    public func cancel() { isOver.store(true, ordering: .relaxed) }

    /// How many are under way, those included that wait for the model's lock.
    public var underway: Int { statistics.underway }

    /// What is known of them now.
    public var statistics: Statistics { state.withLock { $0 } }

    var isCancelled: Bool { isOver.load(ordering: .relaxed) }

    /// Lets a run begin; false if as many as may be are under way.
    func begin() -> Bool {
        state.withLock { state in
            guard state.underway < most else { return false }
            state.underway += 1
            return true
        }
    }

    /// Notes how far the run is; of one process only one works at a time.
    func note(_ progress: TrainingRun.Progress) { state.withLock { $0.progress = progress } }

    func end(_ end: End) {
        state.withLock { state in
            state.underway -= 1
            switch end {
            case .live: state.succeeded += 1
            case .kept: state.kept += 1
            case .failed: state.failed += 1
            }
            // Of several that end, the one that worked was the last to note anything.
            if state.underway == 0 || end != .failed { state.progress = nil }
        }
    }
}
