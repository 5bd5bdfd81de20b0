/// Checks a peer's records before libfcgi sees any of them.
///
/// A state machine without input or output: bytes go in, in any portions; out come one request's
/// parameters and body, and replies to what the protocol lets a peer ask beside a request. What
/// libfcgi would trip over (management records, lengths without bound, a second request, records
/// out of order) ends here.
struct RecordGate {
    /// How far the request has come.
    enum Phase {
        case idle, parameters, body, ended
    }

    /// Where the content of the record being read goes.
    private enum Destination {
        case begin, parameters, body, values, nowhere
    }

    private(set) var phase = Phase.idle
    private(set) var requestID: UInt16 = 0
    private(set) var keepsConnection = false

    /// The content of the parameter stream, whole from phase `body` on.
    private(set) var parameters: [UInt8] = []

    /// Body bytes that came and were not taken yet.
    private(set) var body: [UInt8] = []

    /// Body bytes that came in all.
    private(set) var bodyLength = 0

    /// Records to send to the peer beside any answer.
    private(set) var replies: [UInt8] = []

    /// Bytes of the request that lie here.
    var heldCount: Int { parameters.count + body.count }

    /// Whether body bytes are counted and dropped, for a request nobody reads any more.
    var discardsBody = false { didSet { if discardsBody { body = [] } } }

    private let parameterLimit: Int
    private var headerBits: UInt64 = 0
    private var headerCount = 0
    private var destination = Destination.nowhere
    private var contentLeft = 0
    private var paddingLeft = 0
    private var recordID: UInt16 = 0
    private var smallContent: [UInt8] = []

    /// More than any peer needs to ask; a flood of questions would fill our side of the socket.
    private static let replyLimit = 1024

    init(parameterLimit: Int) { self.parameterLimit = parameterLimit }

    /// Whether no byte of a next request, or of anything else, has come.
    var isUntouched: Bool { phase == .idle && headerCount == 0 && contentLeft == 0 }

    /// Forgets the ended request and waits for another on the same connection.
    mutating func reset() {
        precondition(phase == .ended, "reset in phase \(phase)")
        phase = .idle
        parameters = []
        body = []
        bodyLength = 0
        discardsBody = false
    }

    /// Hands over the body bytes that came so far, in exchange for the storage of used ones: a
    /// fresh one for every portion costs more in page faults than the bytes in copies.
    mutating func exchangeBody(for used: inout [UInt8]) {
        used.removeAll(keepingCapacity: true)
        swap(&body, &used)
    }

    /// Has body bytes go to the end of `buffer`, which the gate holds for that while; called again, gives it back.
    mutating func lend(_ buffer: inout [UInt8]) { swap(&body, &buffer) }

    /// Hands over the replies to be sent.
    mutating func takeReplies() -> [UInt8] {
        defer { replies = [] }
        return replies
    }

    /// Reads on through `bytes` and stops behind the end of a request; returns how many it took.
    ///
    /// - Throws: `brokenProtocol`, or `connectionLost` where the peer gives its request up; the
    ///   connection is to be closed then.
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
            // The peer gave a request up while our answer to it was on its way.
            destination = .nowhere
        case .parameters where phase != .idle && !isOurs,
            .standardInput where phase != .idle && !isOurs,
            .data where phase != .idle && !isOurs:
            // They belong to a request that was refused with `noMultiplexing`.
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

    /// Acts on a record whose content is complete; on streams, an empty record is the end.
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
        // The one value that is a promise rather than a figure: one request a connection.
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
