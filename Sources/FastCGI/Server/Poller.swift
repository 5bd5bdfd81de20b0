import CFastCGI
import Glibc

/// The kernel's list of watched descriptors (epoll), and a way to wake the thread that waits on it.
struct Poller: ~Copyable, Sendable {
    /// The event to watch a descriptor for.
    enum Interest {
        /// Something to read or accept; reported again until it is taken.
        case input
        /// Something to read; reported once.
        case inputOnce
        /// Room to write; reported once.
        case roomOnce

        fileprivate var events: UInt32 {
            switch self {
            case .input: EPOLLIN.rawValue
            case .inputOnce: EPOLLIN.rawValue | EPOLLONESHOT.rawValue
            case .roomOnce: EPOLLOUT.rawValue | EPOLLONESHOT.rawValue
            }
        }
    }

    private let list: Descriptor
    private let waker: Descriptor

    /// The most descriptors reported at once.
    private static let most = 64

    init() throws(FastCGIError) {
        let list = try Descriptor.opened(
            epoll_create1(Int32(EPOLL_CLOEXEC)), by: "epoll_create1", for: "peers")
        let flags = Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK)
        let waker = try Descriptor.opened(eventfd(0, flags), by: "eventfd", for: "the server")
        try Self.change(list, EPOLL_CTL_ADD, waker.number, .input)
        self.list = list
        self.waker = waker
    }

    /// Watches a descriptor until it is removed or closed.
    func add(_ descriptor: Int32, for interest: Interest) throws(FastCGIError) {
        try Self.change(list, EPOLL_CTL_ADD, descriptor, interest)
    }

    /// Watches a known descriptor again.
    func renew(_ descriptor: Int32, for interest: Interest) throws(FastCGIError) {
        try Self.change(list, EPOLL_CTL_MOD, descriptor, interest)
    }

    /// Stops watching a descriptor.
    func remove(_ descriptor: Int32) {
        _ = epoll_ctl(list.number, EPOLL_CTL_DEL, descriptor, nil)
    }

    private static func change(
        _ list: borrowing Descriptor, _ operation: Int32, _ descriptor: Int32, _ interest: Interest
    ) throws(FastCGIError) {
        var event = unsafe epoll_event()
        unsafe event.events = interest.events
        unsafe event.data.fd = descriptor
        guard unsafe epoll_ctl(list.number, operation, descriptor, &event) == 0 else {
            throw .system(call: "epoll_ctl", subject: "descriptor \(descriptor)", code: errno)
        }
    }

    /// Waits for events, at most `milliseconds` (-1: without end); returns their descriptors.
    ///
    /// There are none if it was only woken.
    func wait(milliseconds: Int32) -> [Int32] {
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.most) { events in
            let count = unsafe epoll_wait(
                list.number, events.baseAddress, Int32(Self.most), milliseconds)
            guard count > 0 else { return [] }
            let descriptors = (0..<Int(count)).map { unsafe events[$0].data.fd }
            return descriptors.filter { !isWaker($0) }
        }
    }

    /// Ends the current or the next `wait`; safe in a signal handler.
    func wake() {
        var one: UInt64 = 1
        _ = unsafe write(waker.number, &one, 8)
    }

    private func isWaker(_ descriptor: Int32) -> Bool {
        guard descriptor == waker.number else { return false }
        var count: UInt64 = 0
        _ = unsafe read(waker.number, &count, 8)
        return true
    }
}
