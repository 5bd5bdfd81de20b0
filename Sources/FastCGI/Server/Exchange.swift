/// One request and the duty to answer it.
///
/// `respond` consumes it. Dropped without an answer, it closes the connection, and the web server
/// tells its client so.
public struct Exchange: ~Copyable {
    /// The request's CGI variables.
    public let parameters: Parameters

    /// How long the request waited for a thread.
    public let queueTime: Duration

    private let connection: Connection
    private let library: LibraryRequest
    private let waiting: WaitingConnections
    private let withoutBody: Bool
    private var received = 0
    private var pending: [UInt8] = []
    private var pendingStart = 0
    private var fault: FastCGIError?
    private var isAtEnd = false
    private var isAnswered = false

    /// Reads the parameters of the request in `connection`, whose gate holds them whole.
    ///
    /// - Throws: what makes it a request nobody should see; `connection` is the caller's to close.
    init(
        _ connection: Connection, library: LibraryRequest, waiting: WaitingConnections
    ) throws(FastCGIError) {
        try ParameterPairs(connection.gate.parameters[...]).check()
        let parameters: Parameters
        do throws(FastCGIError) {
            try library.begin(parameters: connection.gate.parameters)
            parameters = Parameters(environment: library.environment)
            try parameters.check()
        } catch {
            library.finish()
            throw error
        }
        self.parameters = parameters
        queueTime = connection.readyAt.duration(to: .now)
        withoutBody = parameters.method == "HEAD"
        self.connection = connection
        self.library = library
        self.waiting = waiting
    }

    deinit {
        if !isAnswered {
            // Nothing was said, so nothing may be kept: the rest of the body is still to come.
            library.finish()
            waiting.close(connection)
            waiting.handBack()
        }
    }

    /// The length of the body the request declares, nil where it declares none.
    public var declaredLength: Int? { parameters.contentLength }

    /// Looks after the peer while the exchange is under way; of no use after it.
    public var peer: PeerWatch { PeerWatch(connection) }

    /// Which of the lines the request came through.
    public var lane: Errand.Lane { connection.errand.lane }

    /// Appends the next bytes of the body, at most `limit`, to `buffer`; returns how many, 0 at
    /// the end.
    ///
    /// - Throws: `wrongLength` as soon as the body is longer than declared or ends before;
    ///   `connectionLost`, `timedOut` or `brokenProtocol` where the rest does not come. What was
    ///   read until then is not a body.
    public mutating func readBody(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(FastCGIError) -> Int {
        precondition(limit > 0, "a limit of \(limit) bytes")
        if let fault { throw fault }
        if received == 0, let declaredLength {
            // A 40 MB body took 165 ms into a buffer that grew by doubling, 40 ms into this.
            buffer.reserveCapacity(buffer.count + min(declaredLength, limit))
        }
        do {
            return try readPortion(upTo: limit, into: &buffer)
        } catch {
            fault = error
            throw error
        }
    }

    private mutating func readPortion(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(FastCGIError) -> Int {
        if isAtEnd { return 0 }
        if pendingStart == pending.count {
            let most = library.space.count
            let isWithin = declaredLength.map { received + most <= $0 } ?? true
            if limit >= most && isWithin && connection.gate.body.isEmpty {
                // Nothing lies in between: 8 MB come 1 ms sooner without the copy. No more than was declared,
                // which the buffer may have no room for.
                let start = buffer.count
                try connection.awaitBody(
                    into: &buffer, through: &library.space, stall: waiting.limits.stallTime)
                if buffer.count > start { return try count(buffer.count - start) }
            }
            try fetch()
        }
        if pending.isEmpty {
            isAtEnd = true
            if let declaredLength, received != declaredLength {
                throw .wrongLength(declared: declaredLength, received: received)
            }
            return 0
        }
        let portion = try count(min(limit, pending.count - pendingStart))
        buffer += pending[pendingStart..<(pendingStart + portion)]
        pendingStart += portion
        return portion
    }

    /// Counts body bytes as received, and returns how many.
    private mutating func count(_ more: Int) throws(FastCGIError) -> Int {
        received += more
        if let declaredLength, received > declaredLength {
            throw .wrongLength(declared: declaredLength, received: received)
        }
        return more
    }

    /// Gets the next body bytes from the gate; none are pending after it at the body's end.
    private mutating func fetch() throws(FastCGIError) {
        if connection.gate.phase == .body && connection.gate.body.isEmpty {
            try connection.awaitBody(
                through: &library.space, stall: waiting.limits.stallTime)
        }
        var portion: [UInt8] = []
        swap(&portion, &pending)
        connection.gate.exchangeBody(for: &portion)
        pending = portion
        pendingStart = 0
    }

    /// Answers, and ends the exchange: reads what is left of the request, or closes the connection
    /// after the answer where that is too much or does not come.
    ///
    /// Line ends in header values become spaces; HEAD gets no body.
    public consuming func respond(_ answer: Answer) {
        let records = answer.records(id: connection.gate.requestID, withoutBody: withoutBody)
        let isRead = connection.drain(
            limit: waiting.limits.drainedBodyBytes, through: &library.space,
            stall: waiting.limits.stallTime)
        connection.prepare(
            records,
            staysOpen: isRead && fault == nil && connection.gate.keepsConnection
                && !connection.isOverfull)
        isAnswered = true
        waiting.settle(connection, mayWait: true)
        library.finish()
        waiting.handBack()
    }
}
