import API
import Inference
import Synchronization
import System

/// Gives memory that large requests have left behind back to the system, once none is under way.
final class MemoryTrimmer: Sendable {
    private let isDue = Atomic<Bool>(false)
    private let last = Mutex(ContinuousClock.now)

    /// Within this time a large request that follows another uses what that one left.
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
