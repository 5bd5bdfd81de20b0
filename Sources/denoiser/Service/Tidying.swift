internal import System
import API
import Inference
import Kernels
import Synchronization

/// Gives back what large requests have left behind once none is under way.
final class Tidying: Sendable {
    private let isDue = Atomic<Bool>(false)
    private let last = Mutex(ContinuousClock.now)

    /// Where large requests follow one another, the next takes what the last has left instead.
    private static let interval = Duration.seconds(1)

    /// Notes that a request has ended, which took `bytes` of `budgets`.
    func end(of bytes: Int, from budgets: MemoryBudgets) {
        if bytes > 0 { isDue.store(true, ordering: .relaxed) }
        guard isDue.load(ordering: .relaxed),
            budgets.all.allSatisfy({ $0.budget.usage.taken == 0 })
        else { return }
        let isTime = last.withLock { last in
            guard last.duration(to: .now) >= Self.interval else { return false }
            last = .now
            return true
        }
        guard isTime else { return }
        isDue.store(false, ordering: .relaxed)
        releaseFreeMemory()
    }
}
