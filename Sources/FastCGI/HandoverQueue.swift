import Glibc

/// Connections with a request, on their way from the polling thread to the request threads.
@safe
final class HandoverQueue: @unchecked Sendable {
    // Unchecked: every access to what is below is between lock and unlock.
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var waiting: [Connection] = []
    private var isClosed = false
    private let limit: Int

    /// A queue of at most `limit` connections.
    init(limit: Int) {
        self.limit = limit
        unsafe lock = .allocate(capacity: 1)
        unsafe changed = .allocate(capacity: 1)
        unsafe pthread_mutex_init(lock, nil)
        unsafe pthread_cond_init(changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe pthread_mutex_destroy(lock)
        unsafe changed.deallocate()
        unsafe lock.deallocate()
    }

    /// Queues a connection; false where the queue is full.
    func push(_ connection: Connection) -> Bool {
        unsafe pthread_mutex_lock(lock)
        let isTaken = waiting.count < limit && !isClosed
        if isTaken { waiting.append(connection) }
        unsafe pthread_mutex_unlock(lock)
        // Not before: who wakes up on another core would find the lock held and sleep again.
        if isTaken { unsafe pthread_cond_signal(changed) }
        return isTaken
    }

    /// The next connection, waiting for one; nil once the queue is closed and empty.
    func pop() -> Connection? {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        while waiting.isEmpty {
            if isClosed { return nil }
            unsafe pthread_cond_wait(changed, lock)
        }
        return waiting.removeFirst()
    }

    /// Lets every `pop` end once the queue is empty; with `dropping`, at once.
    func close(dropping: Bool) {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        isClosed = true
        if dropping { waiting = [] }
        unsafe pthread_cond_broadcast(changed)
    }
}
