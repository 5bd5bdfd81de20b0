internal import CSystem
internal import Synchronization

/// The two threads that share one piece of work: a caller's, and one that waits for such calls.
///
/// The second thread sleeps between calls. It spins only within a call, in which the next phase is
/// microseconds away. A process has one pair, because pairs that spin side by side on the same
/// cores only wait for each other.
///
/// Work in the background has a second thread of its own, since a thread's niceness can never be
/// lowered again. Foreground work has precedence: while it runs, that thread takes no chunks.
public final class WorkerPair: Sendable {
    /// Threads that may work together.
    package static let size = 2

    private static let made = Mutex<WorkerPair?>(nil)

    /// The pair of this process; nil if the system gives no thread for it.
    ///
    /// The first to ask should be a thread of the process's own niceness, which the pair inherits.
    public static var shared: WorkerPair? {
        made.withLock { pair in
            if pair == nil { pair = WorkerPair() }
            return pair
        }
    }

    private let foreground: SecondThread
    /// Started by the first call in the background, whose niceness it inherits.
    private let background = Mutex<SecondThread?>(nil)

    /// Starts the second thread; nil if the system gives none.
    public init?() {
        guard let thread = SecondThread() else { return nil }
        foreground = thread
    }

    /// Runs `work` here and, from when it wakes up, on the second thread, until every phase is
    /// done.
    ///
    /// Returns false, without running `work`, if another call is in progress. After it returns, the
    /// second thread may still be leaving `work`, but it no longer touches any chunk.
    ///
    /// - Parameter inBackground: whether to leave the second core to foreground work that comes.
    package func run(
        inBackground: Bool = false, _ work: @escaping @Sendable (inout Worker) -> Void
    ) -> Bool {
        guard inBackground else { return foreground.run(work) }
        guard !foreground.isTaken else { return false }
        let thread = background.withLock { thread in
            if thread == nil { thread = SecondThread() }
            return thread
        }
        return thread?.run(work, unless: { [foreground] in foreground.isTaken }) ?? false
    }
}

/// A thread that joins a caller's work, one call at a time.
private final class SecondThread: Sendable {
    private let barrier = PhaseBarrier()
    private let mailbox = Mailbox()
    private let taken = Atomic(false)
    private let thread: SystemThread
    /// The core that the thread was last kept off.
    private let avoided = Atomic<Int32>(-1)

    init?() {
        let mailbox = mailbox
        guard let thread = try? SystemThread({ mailbox.serve() }) else { return nil }
        thread.detach()
        self.thread = thread
    }

    deinit { mailbox.close() }

    /// Whether a call is in progress.
    var isTaken: Bool { taken.load(ordering: .relaxed) }

    func run(
        _ work: @escaping @Sendable (inout Worker) -> Void,
        unless mustLeave: (@Sendable () -> Bool)? = nil
    ) -> Bool {
        guard !taken.exchange(true, ordering: .acquiring) else { return false }
        keepOffThisCore()
        let (barrier, number) = (barrier, barrier.number)
        mailbox.put {
            var worker = Worker(index: 1, barrier: barrier, after: number, unless: mustLeave)
            work(&worker)
        }
        var worker = Worker(index: 0, barrier: barrier, after: number)
        work(&worker)
        mailbox.clear()
        taken.store(false, ordering: .releasing)
        return true
    }

    /// Keeps the thread off the caller's core.
    ///
    /// The kernel often wakes a thread on its waker's core although another is idle. It would wait
    /// there until the caller has done all the work.
    private func keepOffThisCore() {
        let core = system_current_core()
        if avoided.exchange(core, ordering: .relaxed) != core {
            system_keep_off(thread.handle, core)
        }
    }
}

/// Holds the work that a second thread is to join.
private final class Mailbox: Sendable {
    private enum State {
        case empty
        case work(@Sendable () -> Void)
        case closed
    }

    private let state = Mutex(State.empty)
    private let filled = Semaphore()

    /// Puts `work` in and wakes the thread.
    func put(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0 = .work(work) }
        filled.signal()
    }

    /// Takes back work that the thread did not come for.
    func clear() { state.withLock { $0 = .empty } }

    /// Ends the thread.
    func close() {
        state.withLock { $0 = .closed }
        filled.signal()
    }

    /// Does what is put in, until closed.
    func serve() {
        while true {
            filled.wait()
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
