import CFastCGI
import Glibc

/// One peer's connection, from accept to close.
///
/// It has one owner at a time, which follows from its state.
final class Connection: @unchecked Sendable {
    // Unchecked: handed from owner to owner through locks, never shared.

    /// The result of a read from the socket.
    enum Received {
        case something, nothing, end
    }

    let descriptor: Descriptor
    let acceptedAt = ContinuousClock.now
    var gate: RecordGate
    private(set) var state = ConnectionState.receiving
    /// When to give the connection up; each state sets it, and each part of a request.
    var deadline: ContinuousClock.Instant
    /// The time of the change to `ready`.
    private(set) var readyAt = ContinuousClock.now
    /// What its request takes of the server; known from `ready` on.
    private(set) var errand = Errand(.bodiless)
    /// Its share of `ServerState.requestBytes`.
    var requestBytes = 0
    /// Its share of `ServerState.answerBytes`.
    var answerBytes = 0
    /// Whether the poller knows the descriptor; for the table.
    var isWatched = false
    /// Requests answered on it.
    private(set) var served = 0
    /// Whether the peer sent more than the one request that it may.
    private(set) var isOverfull = false
    /// Whether a next request may come once the answer is sent.
    private(set) var staysOpen = false
    /// Bytes of the request that the gate has and the socket still holds.
    private var leftCount = 0
    private var output = OutgoingRecords()

    init(_ descriptor: consuming Descriptor, parameterLimit: Int, deadline: ContinuousClock.Instant)
    {
        self.descriptor = descriptor
        self.deadline = deadline
        gate = RecordGate(parameterLimit: parameterLimit)
    }

    // MARK: States

    private func move(to next: ConnectionState) {
        precondition(state.mayBecome(next), "a connection that is \(state) becomes \(next)")
        state = next
    }

    /// Enough of the request is there for a thread.
    func becomeReady(for errand: Errand, at time: ContinuousClock.Instant) {
        move(to: .ready)
        self.errand = errand
        readyAt = time
    }

    /// A request thread has it.
    func beginAnswer() { move(to: .answering) }

    /// The socket has no room for all of the answer.
    func awaitRoom(until deadline: ContinuousClock.Instant) {
        move(to: .sending)
        self.deadline = deadline
    }

    /// The answer is sent, and a next request may come.
    func awaitNextRequest(until deadline: ContinuousClock.Instant) {
        move(to: .receiving)
        gate.reset()
        self.deadline = deadline
    }

    /// The answer is sent before all of the request was read.
    ///
    /// Closed at once, the peer might lose the answer.
    func awaitLeave(until deadline: ContinuousClock.Instant) {
        move(to: .leaving)
        shutdown(descriptor.number, Int32(SHUT_WR))
        gate.discardsBody = true
        self.deadline = deadline
    }

    /// Ends the connection.
    func close() {
        move(to: .closed)
        // Closed with bytes in it, the socket would break the connection instead of ending it.
        takeWhatIsLeft()
        shutdown(descriptor.number, Int32(SHUT_RDWR))
    }

    /// A peer that has just connected is about to send; for this long.
    private static let firstWords = Duration.milliseconds(200)

    /// Whether no request is under way on it, nor about to be.
    var isIdle: Bool {
        state == .receiving && gate.isUntouched
            && (served > 0 || acceptedAt + Self.firstWords <= .now)
    }

    // MARK: Receiving

    /// The longest request that stays in the socket while it is answered.
    private static let mostLeft = 16_384

    /// Receives what the socket holds, without waiting; `space` is a buffer.
    ///
    /// - Parameter mayLeave: a short request that has come whole may stay in the socket until its
    ///   answer is sent. A Unix socket wakes its sender when a read makes room, and nginx has
    ///   nothing more to send.
    func receive(
        through space: inout [UInt8], mayLeave: Bool = false
    ) throws(FastCGIError) -> Received {
        precondition(leftCount == 0, "\(leftCount) bytes of the last request in the socket")
        let count = unsafe space.withUnsafeMutableBytes { bytes in
            unsafe recv(
                descriptor.number, bytes.baseAddress, bytes.count,
                Int32(MSG_DONTWAIT) | (mayLeave ? Int32(MSG_PEEK) : 0))
        }
        if count == 0 { return .end }
        guard count > 0 else {
            if errno == EAGAIN || errno == EINTR { return .nothing }
            throw .connectionLost
        }
        if mayLeave { leftCount = count }
        do throws(FastCGIError) {
            let taken = try gate.take(space[..<count])
            if taken < count { isOverfull = true }
            if leftCount > 0, gate.phase != .ended || count > Self.mostLeft {
                guard takeWhatIsLeft(through: &space) else { throw .connectionLost }
            }
        } catch {
            _ = send(gate.takeReplies())
            throw error
        }
        var replies = gate.takeReplies()[...]
        if isProbed && !replies.isEmpty {
            replies.removeFirst()
            isProbed = false
        }
        guard send(replies) == replies.count else {
            throw .brokenProtocol("replies are not read")
        }
        return .something
    }

    /// Reads the bytes that `receive` left in the socket; whether they were all read.
    private func takeWhatIsLeft(through space: inout [UInt8]) -> Bool {
        unsafe space.withUnsafeMutableBytes { unsafe takeWhatIsLeft(through: $0) }
    }

    private func takeWhatIsLeft(through space: UnsafeMutableRawBufferPointer) -> Bool {
        let count = unsafe recv(
            descriptor.number, space.baseAddress, min(space.count, leftCount), Int32(MSG_DONTWAIT))
        defer { leftCount = 0 }
        return count == leftCount
    }

    /// The same, before the socket is closed or receives a next request.
    private func takeWhatIsLeft() {
        guard leftCount > 0 else { return }
        let isTaken = unsafe withUnsafeTemporaryAllocation(byteCount: leftCount, alignment: 1) {
            unsafe takeWhatIsLeft(through: $0)
        }
        // Bytes that stayed would be read as the next request.
        if !isTaken { staysOpen = false }
    }

    /// Waits until the gate holds more body bytes than `count`, or the request's end.
    ///
    /// - Parameter stall: the longest time without a byte.
    func awaitBody(
        beyond count: Int = 0, through space: inout [UInt8], stall: Duration
    ) throws(FastCGIError) {
        while gate.phase == .body && gate.body.count <= count {
            switch try receive(through: &space) {
            case .something:
                // A peer that never pauses has a deadline as well.
                guard deadline > .now else { throw .timedOut("the body did not come in time") }
            case .end: throw .connectionLost
            case .nothing:
                guard descriptor.wait(for: POLLIN, until: min(deadline, .now + stall)) else {
                    throw .timedOut("the body did not come in time")
                }
            }
        }
    }

    /// Waits for body bytes and appends them to `buffer` without a copy in between; at most as many
    /// as fit `space`.
    func awaitBody(
        into buffer: inout [UInt8], through space: inout [UInt8], stall: Duration
    ) throws(FastCGIError) {
        let count = buffer.count
        gate.lend(&buffer)
        defer { gate.lend(&buffer) }
        try awaitBody(beyond: count, through: &space, stall: stall)
    }

    /// Reads and drops the rest of a request, at most `limit` bytes; whether it reached the end.
    ///
    /// - Parameter stall: the longest time without a byte.
    func drain(limit: Int, through space: inout [UInt8], stall: Duration) -> Bool {
        gate.discardsBody = true
        let start = gate.bodyLength
        while gate.phase == .body {
            guard gate.bodyLength - start <= limit, let received = try? receive(through: &space)
            else { return false }
            switch received {
            case .something: guard deadline > .now else { return false }
            case .end: return false
            case .nothing:
                guard descriptor.wait(for: POLLIN, until: min(deadline, .now + stall)) else {
                    return false
                }
            }
        }
        return true
    }

    // MARK: Sending

    /// Bytes of the answer that are held here.
    var outputCount: Int { output.heldCount }

    /// Takes the records of an answer, for `flush` to send.
    func prepare(_ records: OutgoingRecords, staysOpen: Bool) {
        output = records
        if isProbed { output.skipFirstByte() }
        isProbed = false
        self.staysOpen = staysOpen
    }

    /// Sends as much as the socket has room for; whether all of the answer is sent.
    func flush() throws(FastCGIError) -> Bool {
        let failure = output.send(to: descriptor.number)
        takeWhatIsLeft()
        if output.isEmpty {
            // Frees the memory of the parts as well.
            output = OutgoingRecords()
            served += 1
            return true
        }
        guard failure == EAGAIN || failure == EINTR else { throw .connectionLost }
        output.trim()
        return false
    }

    /// The number of bytes sent before the socket was full or the peer gone.
    private func send(_ bytes: some Sequence<UInt8> & RandomAccessCollection<UInt8>) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.dropFirst(sent).withContiguousStorageIfAvailable { part in
                unsafe Glibc.send(
                    descriptor.number, part.baseAddress, part.count,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            guard let count, count > 0 else { break }
            sent += count
        }
        return sent
    }

    // MARK: The peer

    /// Whether the peer closed its side for good, so that nobody would read an answer.
    ///
    /// Over TCP a peer that only stopped sending looks the same until something is sent to it. So
    /// this sends the first byte of the answer, which is the same for all answers. A peer that is
    /// gone answers with a reset, which the next look shows.
    var isPeerGone: Bool {
        let found = events(among: Self.ended)
        if found & (POLLHUP | POLLERR | POLLNVAL) != 0 { return true }
        guard found & Self.ended != 0, !isProbed, output.isEmpty, !isUnix else { return false }
        isProbed = send([OutgoingRecords.firstByte]) == 1
        return !isProbed
    }

    /// Whether the first byte of the answer was sent already.
    private var isProbed = false

    /// Linux's POLLRDHUP.
    private static let ended: Int32 = 0x2000

    private var isUnix: Bool {
        var family = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutableBytes(of: &family) { bytes in
            unsafe getsockname(
                descriptor.number, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                &length)
        }
        return result == 0 && family.ss_family == sa_family_t(AF_UNIX)
    }

    /// Whether the socket holds unread bytes.
    var hasInput: Bool { events(among: POLLIN) & POLLIN != 0 }

    private func events(among sought: Int32) -> Int32 {
        var entry = pollfd(fd: descriptor.number, events: Int16(sought), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0 ? Int32(entry.revents) : 0
    }
}
