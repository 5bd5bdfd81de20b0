/// A complete answer: status, headers and body.
public struct Answer: Sendable {
    /// The HTTP status.
    public var status: Int

    /// Header fields in order; `Content-Length` is added if it is missing.
    public var headers: [(name: String, value: String)]

    /// The bytes of the body, in consecutive pieces; not sent in answer to HEAD.
    public var pieces: [[UInt8]]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.init(status: status, headers: headers, pieces: [body])
    }

    public init(status: Int, headers: [(name: String, value: String)] = [], pieces: [[UInt8]]) {
        self.status = status
        self.headers = headers
        self.pieces = pieces
    }

    /// The answer 503 in the usual words, if no thread and no place in the queue is free.
    public static let busy = Answer(
        status: 503,
        headers: [("Content-Type", "application/json"), ("Retry-After", "1")],
        body: Array(#"{"detail":"Service Unavailable"}"#.utf8))

    /// The records that carry this answer and end request `id`.
    func records(id: UInt16, withoutBody: Bool) -> OutgoingRecords {
        var records = OutgoingRecords()
        records.append(
            id: id, head: headerText(),
            pieces: withoutBody || !Self.mayHaveBody(status) ? [] : pieces)
        return records
    }

    private func headerText() -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(256)
        text += "Status: \(status) \(statusPhrase(status))\r\n".utf8
        var declaresLength = false
        for (name, value) in headers where !name.isEmpty && name.utf8.allSatisfy(Self.isNameByte) {
            declaresLength = declaresLength || Self.isContentLength(name.utf8.span)
            text += name.utf8
            text += ": ".utf8
            // A line end in a value would begin another header, or the body.
            for byte in value.utf8 {
                text.append(byte < 0x20 && byte != 0x09 || byte == 0x7F ? 0x20 : byte)
            }
            text += "\r\n".utf8
        }
        if !declaresLength && Self.mayHaveBody(status) {
            text += "Content-Length: \(pieces.reduce(0) { $0 + $1.count })\r\n".utf8
        }
        text += "\r\n".utf8
        return text
    }

    /// Whether a header's name is `Content-Length`, in upper or lower case.
    private static func isContentLength(_ name: Span<UInt8>) -> Bool {
        let own = "content-length".utf8.span
        return name.count == own.count && name.indices.allSatisfy { name[$0] | 0x20 == own[$0] }
    }

    private static func mayHaveBody(_ status: Int) -> Bool { status != 204 && status != 304 }

    /// The characters of a header's name (RFC 9110, section 5.6.2).
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// The standard words for an HTTP status (RFC 9110, section 15; RFC 6585).
private func statusPhrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status"
    }
}
