internal import Glibc

/// State behind a lock whose holders may wait for one another: a mutex with one condition.
@safe
final class Monitor<State>: @unchecked Sendable {
    // Unchecked: `state` is touched under the mutex only.
    private var state: State
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ state: State) {
        self.state = state
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // Deadlines must not move with the time of day.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the state to itself.
    func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Runs `body` again after each wake-up until it gives a result.
    func wait<Result>(until body: (inout State) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// The same, but gives up at `deadline`: nil, after `body` gave none once more.
    func wait<Result>(
        before deadline: ContinuousClock.Instant, until body: (inout State) -> Result?
    ) -> Result? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) { return result }
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { return nil }
            var time = monotonicTime(in: min(left, .seconds(3600)))
            unsafe pthread_cond_timedwait(condition, mutex, &time)
        }
    }

    /// Wakes one of those who wait, where any of them will do.
    func wakeOne() { unsafe pthread_cond_signal(condition) }

    /// Wakes everyone who waits.
    func wakeAll() { unsafe pthread_cond_broadcast(condition) }
}

/// The time of the monotonic clock after `duration` from now.
private func monotonicTime(in duration: Duration) -> timespec {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = duration.components
    time.tv_sec += Int(seconds)
    time.tv_nsec += Int(attoseconds / 1_000_000_000)
    if time.tv_nsec >= 1_000_000_000 {
        time.tv_sec += 1
        time.tv_nsec -= 1_000_000_000
    }
    return time
}
