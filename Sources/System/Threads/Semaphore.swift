internal import CSystem
internal import Glibc

/// A counting semaphore: `wait` takes one, and sleeps while there is none.
@safe
package final class Semaphore: @unchecked Sendable {
    // Unchecked: the pointer never changes, and a semaphore is for use by several threads.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() {
        let failure = unsafe sem_init(semaphore, 0, 0)
        precondition(failure == 0, "sem_init: errno \(errno)")
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    package func signal() { unsafe sem_post(semaphore) }

    package func wait() {
        // A signal interrupts the call.
        while unsafe sem_wait(semaphore) != 0 {}
    }

    /// The same, but gives up at `deadline`.
    package func wait(until deadline: ContinuousClock.Instant) {
        let left = ContinuousClock.now.duration(to: deadline)
        guard left > .zero else { return }
        unsafe system_wait(semaphore, Int64(min(left, .seconds(3600)) / .nanoseconds(1)))
    }
}
