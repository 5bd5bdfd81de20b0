/// One request and the duty to answer it.
///
/// `respond` consumes it. If it is dropped without an answer, the connection closes, and the web
/// server answers its client with an error.
public struct Exchange: ~Copyable {
    /// The request's CGI variables.
    public let parameters: Parameters

    /// The request's wait for a thread.
    public let queueTime: Duration

    private let connection: Connection
    private let library: LibraryRequest
    private let state: ServerState
    private let withoutBody: Bool
    private var received = 0
    private var pending: [UInt8] = []
    private var pendingStart = 0
    private var fault: FastCGIError?
    private var isAtEnd = false
    private var isAnswered = false

    /// Reads the parameters of the request in `connection`, whose gate holds all of them.
    ///
    /// - Throws: the fault of a request that no handler may see. The caller closes `connection`
    ///   then.
    init(
        _ connection: Connection, library: LibraryRequest, state: ServerState
    ) throws(FastCGIError) {
        connection.beginAnswer()
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
        self.state = state
    }

    deinit {
        if !isAnswered {
            // Without an answer the connection cannot stay: the rest of the body is still to come.
            library.finish()
            state.close(connection)
            state.endRequest()
        }
    }

    /// The declared length of the body; nil if the request declares none.
    public var declaredLength: Int? { parameters.contentLength }

    /// Tells whether the peer is still there; only valid until the answer.
    public var peer: PeerWatch { PeerWatch(connection) }

    /// The line in which the request waited.
    public var lane: Errand.Lane { connection.errand.lane }

    /// Appends the next bytes of the body, at most `limit`, to `buffer`; returns their number, 0 at
    /// the end.
    ///
    /// - Throws: `wrongLength` as soon as the body is longer or shorter than declared;
    ///   `connectionLost`, `timedOut` or `brokenProtocol` if the rest does not come. The bytes read
    ///   so far are not a body.
    public mutating func readBody(
        upTo limit: Int, into buffer: inout [UInt8]
    ) throws(FastCGIError) -> Int {
        precondition(limit > 0, "a limit of \(limit) bytes")
        if let fault { throw fault }
        if received == 0, let declaredLength {
            // Much faster for a large body than a buffer that grows by doubling.
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
                // Directly into the buffer, without a copy. At most the declared length, because
                // the buffer may have no room for more.
                let start = buffer.count
                try connection.awaitBody(
                    into: &buffer, through: &library.space, stall: state.limits.stallTime)
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

    /// Counts received body bytes, and returns their number.
    private mutating func count(_ more: Int) throws(FastCGIError) -> Int {
        received += more
        if let declaredLength, received > declaredLength {
            throw .wrongLength(declared: declaredLength, received: received)
        }
        return more
    }

    /// Gets the next body bytes from the gate into `pending`, which is empty at the body's end.
    private mutating func fetch() throws(FastCGIError) {
        if connection.gate.phase == .body && connection.gate.body.isEmpty {
            try connection.awaitBody(
                through: &library.space, stall: state.limits.stallTime)
        }
        var portion: [UInt8] = []
        swap(&portion, &pending)
        connection.gate.exchangeBody(for: &portion)
        pending = portion
        pendingStart = 0
    }

    /// Answers and ends the exchange.
    ///
    /// Reads the rest of the request first. If that is too much or does not come, the connection
    /// closes after the answer.
    ///
    /// Line ends in header values become spaces; HEAD gets no body.
    public consuming func respond(_ answer: Answer) {
        let records = answer.records(id: connection.gate.requestID, withoutBody: withoutBody)
        let isRead = connection.drain(
            limit: state.limits.drainedBodyBytes, through: &library.space,
            stall: state.limits.stallTime)
        connection.prepare(
            records,
            staysOpen: isRead && fault == nil && connection.gate.keepsConnection
                && !connection.isOverfull)
        isAnswered = true
        state.sendAnswer(connection, mayWait: true)
        library.finish()
        state.endRequest()
    }
}
