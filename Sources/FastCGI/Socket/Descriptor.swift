import Glibc

/// A file descriptor with one owner; it closes at the end of the owner's life.
struct Descriptor: ~Copyable, Sendable {
    let number: Int32

    init(_ number: Int32) {
        precondition(number >= 0, "descriptor \(number)")
        self.number = number
    }

    deinit { close(number) }

    /// The descriptor that a call returned, or the error if it returned -1.
    static func opened(
        _ result: Int32, by call: String, for subject: String
    ) throws(FastCGIError) -> Descriptor {
        guard result >= 0 else {
            throw .system(call: call, subject: subject, code: errno)
        }
        return Descriptor(result)
    }

    /// From now on reads, writes and accepts return at once.
    func setNonBlocking() {
        let flags = fcntl(number, F_GETFL)
        if flags >= 0 { _ = fcntl(number, F_SETFL, flags | O_NONBLOCK) }
    }

    /// Waits for one of `events` or a fault; false at the deadline.
    func wait(for events: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            var entry = pollfd(fd: number, events: Int16(events), revents: 0)
            let ready = unsafe poll(&entry, 1, deadline.pollTimeout)
            if ready > 0 { return true }
            if ready == 0 && ContinuousClock.now >= deadline { return false }
            if ready < 0 && errno != EINTR { return true }  // The next read or write tells why.
        }
    }
}

extension ContinuousClock.Instant {
    /// Milliseconds from now on, for `poll` and `epoll_wait`; rounded up, at most an hour.
    var pollTimeout: Int32 {
        let left = ContinuousClock.now.duration(to: self)
        if left <= .zero { return 0 }
        if left >= .seconds(3600) { return 3_600_000 }
        let (seconds, attoseconds) = left.components
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
