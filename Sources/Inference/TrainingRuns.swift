internal import Synchronization

/// The training runs of a process: how many are under way, and whether they are to end.
public final class TrainingRuns: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let count = Atomic<Int>(0)

    /// None is under way, and any may begin.
    public init() {}

    /// Ends the runs under way, and those that begin from now on, with nothing changed.
    public func cancel() { isOver.store(true, ordering: .relaxed) }

    /// How many are under way, those included that wait for the model's lock.
    public var underway: Int { count.load(ordering: .relaxed) }

    var isCancelled: Bool { isOver.load(ordering: .relaxed) }

    func begin() { count.add(1, ordering: .relaxed) }

    func end() { count.subtract(1, ordering: .relaxed) }
}
