internal import CSystem
internal import Synchronization

/// A second thread that takes pieces of a forward pass or of training steps.
///
/// The thread sleeps between calls; only within one, where the next stage is microseconds away, does it spin.
public final class ComputeTeam: Sendable {
    /// Threads that may work together: the caller and the team's own.
    package static let size = 2

    private let stages = Stages()
    private let desk = Desk()
    private let isTaken = Atomic(false)
    private let thread: SystemThread
    /// The core that the thread was last kept off.
    private let avoided = Atomic<Int32>(-1)

    /// Starts the thread; nil where the system gives none.
    public init?() {
        let desk = desk
        guard let thread = try? SystemThread({ desk.serve() }) else { return nil }
        thread.detach()
        self.thread = thread
    }

    deinit { desk.close() }

    /// Runs `work` here and, from when it wakes up, on the other thread, until every stage is done.
    ///
    /// False, without running it, while another call does so. The other thread may still be on its way out of `work` then; it touches nothing outside of pieces.
    package func run(_ work: @escaping @Sendable (inout Share) -> Void) -> Bool {
        guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
        keepThreadOffThisCore()
        let (stages, number) = (stages, stages.number)
        desk.put {
            var share = Share(index: 1, stages: stages, after: number)
            work(&share)
        }
        var share = Share(index: 0, stages: stages, after: number)
        work(&share)
        desk.clear()
        isTaken.store(false, ordering: .releasing)
        return true
    }
}

extension ComputeTeam {
    /// The kernel often wakes a thread where its waker runs though another core is idle, and there it would
    /// wait until all the work is done: of short texts, one client, every tenth took 8 to 14 ms for 4.7.
    private func keepThreadOffThisCore() {
        let core = system_current_core()
        if avoided.exchange(core, ordering: .relaxed) != core {
            system_keep_off(thread.handle, core)
        }
    }
}

/// Where work is laid down for the team's thread.
private final class Desk: Sendable {
    private enum State {
        case empty
        case work(@Sendable () -> Void)
        case closed
    }

    private let state = Mutex(State.empty)
    private let bell = Semaphore()

    /// Lays `work` down and rings.
    func put(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0 = .work(work) }
        bell.signal()
    }

    /// Takes work back that the thread did not come for.
    func clear() { state.withLock { $0 = .empty } }

    /// Tells the thread to end.
    func close() {
        state.withLock { $0 = .closed }
        bell.signal()
    }

    /// Does what is laid down until closed.
    func serve() {
        while true {
            bell.wait()
            let found = state.withLock { state in
                defer { if case .work = state { state = .empty } }
                return state
            }
            switch found {
            case .empty: break
            case .work(let work): work()
            case .closed: return
            }
        }
    }
}
