import Synchronization
import Threads

/// Connections with a request, on their way from the polling thread to the request threads.
final class HandoverQueue: Sendable {
    private struct State {
        var waiting: [Connection] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Rings once for each connection, and on and on once the queue is closed.
    ///
    /// Not a condition: glibc before 2.41 may lose one's signal (its bug 25847), and the request with it.
    private let bell = Semaphore()
    private let limit: Int

    /// A queue of at most `limit` connections.
    init(limit: Int) { self.limit = limit }

    /// Queues a connection; false where the queue is full.
    func push(_ connection: Connection) -> Bool {
        let isTaken = state.withLock { state in
            guard state.waiting.count < limit && !state.isClosed else { return false }
            state.waiting.append(connection)
            return true
        }
        // Not under the lock: who wakes up on another core would find it held and sleep again.
        if isTaken { bell.signal() }
        return isTaken
    }

    /// The next connection, waiting for one; nil once the queue is closed and empty.
    func pop() -> Connection? {
        bell.wait()
        let next = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
        if next == nil { bell.signal() }
        return next
    }

    /// Lets every `pop` end once the queue is empty.
    func close() {
        state.withLock { $0.isClosed = true }
        bell.signal()
    }

    /// Lets every `pop` end at once; returns the connections that waited, for the caller to close.
    func abandon() -> [Connection] {
        defer { close() }
        return state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
