internal import Glibc
internal import Synchronization

/// A second thread that takes half of each stage of a forward pass.
///
/// The thread sleeps between passes; only within one, where the next stage is microseconds away, does it
/// spin.
package final class ComputeTeam: Sendable {
    /// Threads that work on a pass: the caller and the team's own.
    package static let size = 2

    private let meeting = Meeting(members: size)
    private let desk = Desk()

    /// Starts the thread; nil where the system gives none.
    package init?() {
        let desk = desk
        let meeting = meeting
        let context = unsafe Unmanaged.passRetained(
            Member { desk.serve(Share(index: 1, count: ComputeTeam.size, meeting: meeting)) })
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Member>.fromOpaque(context).takeRetainedValue().work()
                }
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            unsafe context.release()
            return nil
        }
        pthread_detach(thread)
    }

    deinit { desk.close() }

    /// Runs `work` once for each share at the same time; false, without running it, while another call
    /// does so.
    package func run(_ work: @escaping @Sendable (Share) -> Void) -> Bool {
        guard desk.put(work) else { return false }
        work(Share(index: 0, count: Self.size, meeting: meeting))
        desk.clear()
        return true
    }
}

/// What the team's thread runs.
private final class Member: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}

/// Where work is laid down for the team's thread.
private final class Desk: Sendable {
    private enum State {
        case free
        case taken(@Sendable (Share) -> Void)
        case closed
    }

    private let state = Mutex(State.free)
    private let bell = Semaphore()
    private let isDone = Atomic(true)

    /// Lays `work` down and rings; false where other work lies there.
    func put(_ work: @escaping @Sendable (Share) -> Void) -> Bool {
        let taken = state.withLock { state in
            guard case .free = state else { return false }
            state = .taken(work)
            return true
        }
        guard taken else { return false }
        isDone.store(false, ordering: .relaxed)
        bell.signal()
        return true
    }

    /// Waits for the other thread, which has met us at the work's end and is about to say so.
    func clear() {
        while !isDone.load(ordering: .acquiring) { sched_yield() }
        state.withLock { $0 = .free }
    }

    /// Tells the thread to end.
    func close() {
        state.withLock { $0 = .closed }
        bell.signal()
    }

    /// Does the work that is laid down, as `share`, until closed.
    func serve(_ share: Share) {
        while true {
            bell.wait()
            guard case .taken(let work) = state.withLock({ $0 }) else { return }
            work(share)
            isDone.store(true, ordering: .releasing)
        }
    }
}
