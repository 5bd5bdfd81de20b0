import CFastCGI
import Glibc

/// One peer's connection, from accept to close.
///
/// It has one owner at a time: the thread that polls, the queue, or the exchange that answers.
final class Connection: @unchecked Sendable {
    // Unchecked: handed from owner to owner through locks, never shared.

    /// What it waits for while no request thread has it.
    enum Stage {
        /// For a request, or for the rest of one.
        case request
        /// For room to send the rest of an answer.
        case room
        /// For the peer to read its answer and leave, though we did not read all it sent.
        case leave
    }

    /// What a look at the socket found.
    enum Received {
        case something, nothing, end
    }

    let descriptor: Descriptor
    let acceptedAt = ContinuousClock.now
    var gate: RecordGate
    var stage = Stage.request
    /// When to give up the current stage.
    var deadline: ContinuousClock.Instant
    /// When the request was complete enough for a thread.
    var readyAt = ContinuousClock.now
    /// What of the answer is counted as kept for it.
    var keptBytes = 0
    /// What of its request is counted as held.
    var heldBytes = 0
    /// Whether descriptor and poller know each other.
    var isRegistered = false
    /// Requests answered on it.
    private(set) var served = 0
    /// Whether the peer sent more than the one request it may.
    private(set) var isOverfull = false
    /// Whether a next request may come once the answer is sent.
    private(set) var staysOpen = false
    /// Bytes of the request that the gate has and the socket still holds.
    private var leftCount = 0
    private var output = OutgoingRecords()
    /// What its request takes of the server.
    var errand = Errand(.bodiless)

    init(_ descriptor: consuming Descriptor, parameterLimit: Int, deadline: ContinuousClock.Instant)
    {
        self.descriptor = descriptor
        self.deadline = deadline
        gate = RecordGate(parameterLimit: parameterLimit)
    }

    /// The longest request that is left in the socket while it is answered.
    private static let mostLeft = 16_384

    /// Takes in what the socket holds, without waiting; `space` is scratch.
    ///
    /// - Parameter mayLeave: a short request that is there as a whole may stay in the socket until its answer is
    ///   sent. A Unix socket wakes its sender for the room that reading makes: nginx, which has nothing more to
    ///   say, in half of the requests. One row of embeddings takes 0.95 of the time without.
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

    /// Takes the bytes that `receive` left out of the socket; whether just these went.
    private func takeWhatIsLeft(through space: inout [UInt8]) -> Bool {
        unsafe space.withUnsafeMutableBytes { unsafe takeWhatIsLeft(through: $0) }
    }

    private func takeWhatIsLeft(through space: UnsafeMutableRawBufferPointer) -> Bool {
        let count = unsafe recv(
            descriptor.number, space.baseAddress, min(space.count, leftCount), Int32(MSG_DONTWAIT))
        defer { leftCount = 0 }
        return count == leftCount
    }

    /// The same, before the socket is used or closed without them.
    private func takeWhatIsLeft() {
        guard leftCount > 0 else { return }
        let isTaken = unsafe withUnsafeTemporaryAllocation(byteCount: leftCount, alignment: 1) {
            unsafe takeWhatIsLeft(through: $0)
        }
        // Whatever stayed would be taken for the next request.
        if !isTaken { staysOpen = false }
    }

    /// Waits until the gate holds more body bytes than `count` or the request's end, for `stall` without a byte
    /// at most.
    func awaitBody(
        beyond count: Int = 0, through space: inout [UInt8], stall: Duration
    ) throws(FastCGIError) {
        while gate.phase == .body && gate.body.count <= count {
            switch try receive(through: &space) {
            case .something:
                // Whoever never pauses has a deadline, too.
                guard deadline > .now else { throw .timedOut("the body did not come in time") }
            case .end: throw .connectionLost
            case .nothing:
                guard descriptor.wait(for: POLLIN, until: min(deadline, .now + stall)) else {
                    throw .timedOut("the body did not come in time")
                }
            }
        }
    }

    /// Waits for body bytes and has them go to the end of `buffer`, without a copy in between; at most as many as
    /// `space` has room for.
    func awaitBody(
        into buffer: inout [UInt8], through space: inout [UInt8], stall: Duration
    ) throws(FastCGIError) {
        let count = buffer.count
        gate.lend(&buffer)
        defer { gate.lend(&buffer) }
        try awaitBody(beyond: count, through: &space, stall: stall)
    }

    /// Reads and drops the rest of a request, at most `limit` bytes and for `stall` without a byte; whether it
    /// came to its end.
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

    /// Bytes of the answer that lie here.
    var outputCount: Int { output.heldCount }

    /// Takes the records of an answer, to be sent by `flush`.
    func prepare(_ records: OutgoingRecords, staysOpen: Bool) {
        output = records
        if isProbed { output.skipFirstByte() }
        isProbed = false
        self.staysOpen = staysOpen
    }

    /// Sends what the socket has room for; whether all of the answer is out.
    func flush() throws(FastCGIError) -> Bool {
        let failure = output.send(to: descriptor.number)
        takeWhatIsLeft()
        if output.isEmpty {
            // With the room for its parts.
            output = OutgoingRecords()
            served += 1
            return true
        }
        guard failure == EAGAIN || failure == EINTR else { throw .connectionLost }
        output.trim()
        return false
    }

    /// Bytes sent before the socket was full or the peer gone.
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

    /// A peer that has just connected is about to send; for this long.
    private static let firstWords = Duration.milliseconds(200)

    /// Whether no request is under way on it, nor about to be.
    var isIdle: Bool {
        stage == .request && gate.isUntouched
            && (served > 0 || acceptedAt + Self.firstWords <= .now)
    }

    /// Tells the peer that nothing more comes.
    func finishSending() { shutdown(descriptor.number, Int32(SHUT_WR)) }

    /// Ends the connection; for its owner.
    func sever() {
        // Closed with bytes in it, the socket would break the connection instead of ending it.
        takeWhatIsLeft()
        shutdown(descriptor.number, Int32(SHUT_RDWR))
    }

    /// Whether the peer closed its side for good, so that nobody would read an answer.
    ///
    /// Over TCP a peer that only sends no more looks the same until something is sent to it. That is then the first
    /// byte of the answer, which is the same for all; who is gone says so in return, and the next look shows it.
    var isPeerGone: Bool {
        let found = events(among: Self.ended)
        if found & (POLLHUP | POLLERR | POLLNVAL) != 0 { return true }
        guard found & Self.ended != 0, !isProbed, output.isEmpty, !isUnix else { return false }
        isProbed = send([OutgoingRecords.firstByte]) == 1
        return !isProbed
    }

    /// Whether the first byte of the answer is out already.
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

    /// Whether something came that nobody has read.
    var hasInput: Bool { events(among: POLLIN) & POLLIN != 0 }

    private func events(among sought: Int32) -> Int32 {
        var entry = pollfd(fd: descriptor.number, events: Int16(sought), revents: 0)
        return unsafe poll(&entry, 1, 0) > 0 ? Int32(entry.revents) : 0
    }
}
