/// Checks a peer's records before libfcgi sees any of them.
///
/// A state machine that does no input or output. Bytes go in, in portions of any size. One
/// request's parameters and body come out, and replies to the protocol's management records.
/// Records that libfcgi cannot handle stop here: management records, unbounded lengths, a second
/// request, wrong order.
struct RecordGate {
    /// The part of the request that is read next.
    enum Phase {
        case idle, parameters, body, ended
    }

    /// The destination of the current record's content.
    private enum Destination {
        case begin, parameters, body, values, nowhere
    }

    private(set) var phase = Phase.idle
    private(set) var requestID: UInt16 = 0
    private(set) var keepsConnection = false

    /// The content of the parameter stream; complete from phase `body` on.
    private(set) var parameters: [UInt8] = []

    /// Body bytes that were received and not taken yet.
    private(set) var body: [UInt8] = []

    /// The number of body bytes received so far.
    private(set) var bodyLength = 0

    /// Records to be sent to the peer besides the answer.
    private(set) var replies: [UInt8] = []

    /// Bytes of the request in the gate.
    var heldCount: Int { parameters.count + body.count }

    /// Whether body bytes are counted and dropped, for a request that nothing reads any more.
    var discardsBody = false { didSet { if discardsBody { body = [] } } }

    private let parameterLimit: Int
    private var headerBits: UInt64 = 0
    private var headerCount = 0
    private var destination = Destination.nowhere
    private var contentLeft = 0
    private var paddingLeft = 0
    private var recordID: UInt16 = 0
    private var smallContent: [UInt8] = []

    /// More bytes of replies than any peer needs; a flood of questions would fill our send buffer.
    private static let replyLimit = 1024

    init(parameterLimit: Int) { self.parameterLimit = parameterLimit }

    /// Whether no byte has come since the last request.
    var isUntouched: Bool { phase == .idle && headerCount == 0 && contentLeft == 0 }

    /// Drops the ended request and expects another on the same connection.
    mutating func reset() {
        precondition(phase == .ended, "reset in phase \(phase)")
        phase = .idle
        parameters = []
        body = []
        bodyLength = 0
        discardsBody = false
    }

    /// Swaps the body bytes received so far for an array that was read already.
    ///
    /// A new array for every portion would cost more in page faults than the bytes cost in copies.
    mutating func exchangeBody(for used: inout [UInt8]) {
        used.removeAll(keepingCapacity: true)
        swap(&body, &used)
    }

    /// Takes `buffer`, so that body bytes are appended to it; a second call gives it back.
    mutating func lend(_ buffer: inout [UInt8]) { swap(&body, &buffer) }

    /// Hands over the replies to be sent.
    mutating func takeReplies() -> [UInt8] {
        defer { replies = [] }
        return replies
    }

    /// Reads `bytes` up to the end of a request; returns the number of bytes that it read.
    ///
    /// - Throws: `brokenProtocol`, or `connectionLost` if the peer aborts its request. The caller
    ///   closes the connection then.
    mutating func take(_ bytes: ArraySlice<UInt8>) throws(FastCGIError) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            if contentLeft > 0 {
                let part = rest.prefix(contentLeft)
                rest = rest.dropFirst(part.count)
                contentLeft -= part.count
                try deliver(part)
                if contentLeft == 0 { try finishRecord() }
            } else if paddingLeft > 0 {
                let skipped = min(paddingLeft, rest.count)
                paddingLeft -= skipped
                rest = rest.dropFirst(skipped)
            } else if phase == .ended {
                break
            } else if let byte = rest.popFirst() {
                headerBits = headerBits << 8 | UInt64(byte)
                headerCount += 1
                guard headerCount == RecordHeader.size else { continue }
                headerCount = 0
                try startRecord(RecordHeader(bits: headerBits))
                if contentLeft == 0 { try finishRecord() }
            }
        }
        return bytes.count - rest.count
    }

    private mutating func startRecord(_ header: RecordHeader) throws(FastCGIError) {
        guard header.version == RecordHeader.version else {
            throw .brokenProtocol("version \(header.version)")
        }
        contentLeft = header.contentLength
        paddingLeft = header.paddingLength
        recordID = header.requestID
        smallContent = []
        if recordID == 0 {
            try startManagementRecord(header)
            return
        }
        let isOurs = phase != .idle && recordID == requestID
        switch RecordKind(rawValue: header.kind) {
        case .beginRequest where !isOurs:
            guard contentLeft == 8 else {
                throw .brokenProtocol("a begin record of \(contentLeft) bytes")
            }
            destination = .begin
        case .parameters where isOurs && phase == .parameters:
            guard parameters.count + contentLeft <= parameterLimit else {
                throw .brokenProtocol("parameters of more than \(parameterLimit) bytes")
            }
            destination = .parameters
        case .standardInput where isOurs && phase == .body:
            destination = .body
        case .abortRequest where isOurs:
            throw .connectionLost
        case .abortRequest:
            // The peer aborted a request while our answer to it was being sent.
            destination = .nowhere
        case .parameters where phase != .idle && !isOurs,
            .standardInput where phase != .idle && !isOurs,
            .data where phase != .idle && !isOurs:
            // Records of a request that was refused with `noMultiplexing`.
            destination = .nowhere
        default:
            throw .brokenProtocol("a record of type \(header.kind) in phase \(phase)")
        }
    }

    private mutating func startManagementRecord(_ header: RecordHeader) throws(FastCGIError) {
        switch RecordKind(rawValue: header.kind) {
        case .getValues where contentLeft <= 256:
            destination = .values
        case nil:
            destination = .nowhere
            replies.appendHeader(.unknownType, id: 0, length: 8)
            replies += [header.kind, 0, 0, 0, 0, 0, 0, 0]
        default:
            throw .brokenProtocol(
                "a management record of type \(header.kind) and \(contentLeft) bytes")
        }
        try checkReplies()
    }

    private mutating func deliver(_ part: ArraySlice<UInt8>) throws(FastCGIError) {
        switch destination {
        case .begin, .values: smallContent += part
        case .parameters: parameters += part
        case .body:
            bodyLength += part.count
            if !discardsBody { body += part }
        case .nowhere: break
        }
    }

    /// Handles a complete record.
    ///
    /// An empty record ends a stream.
    private mutating func finishRecord() throws(FastCGIError) {
        let isEmpty = RecordHeader(bits: headerBits).contentLength == 0
        switch destination {
        case .begin: try begin()
        case .parameters where isEmpty: phase = .body
        case .body where isEmpty: phase = .ended
        case .values: try answerValues()
        default: break
        }
        destination = .nowhere
    }

    private mutating func begin() throws(FastCGIError) {
        guard phase == .idle else {
            replies.appendEndRequest(id: recordID, .noMultiplexing)
            try checkReplies()
            return
        }
        let role = UInt16(smallContent[0]) << 8 | UInt16(smallContent[1])
        guard role == 1 else {
            replies.appendEndRequest(id: recordID, .unknownRole)
            throw .brokenProtocol("role \(role), and only responder (1) is served")
        }
        requestID = recordID
        keepsConnection = smallContent[2] & 1 != 0
        phase = .parameters
    }

    private mutating func answerValues() throws(FastCGIError) {
        // The only value that is a promise and not a figure: one request a connection.
        let name = "FCGI_MPXS_CONNS"
        var result: [UInt8] = []
        if ParameterPairs(smallContent[...]).contains(name: name) {
            result = [UInt8(name.utf8.count), 1] + Array(name.utf8) + [UInt8(ascii: "0")]
        }
        replies.appendHeader(.getValuesResult, id: 0, length: result.count)
        replies += result
        try checkReplies()
    }

    private func checkReplies() throws(FastCGIError) {
        if replies.count > Self.replyLimit {
            throw .brokenProtocol("more questions than answers fit")
        }
    }
}
