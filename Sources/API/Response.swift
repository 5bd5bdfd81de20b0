public import Inference
public import JSON

/// A complete response; sending begins when all of it is known.
public struct Response: Sendable {
    /// The HTTP status.
    public var status: Int

    /// Header fields in order; `Content-Length` is added when the response is written.
    public var headers: [(name: String, value: String)]

    /// The bytes of the body, in pieces that follow one another; none in an answer to HEAD.
    public var pieces: [[UInt8]]

    /// How long the stages of the work took, in order; for logs, not sent.
    public var stages: [Stage] = []

    /// Why nothing was computed for lack of time; nil for every other reason.
    public var unserved: Unserved?

    /// Why a request got no result.
    public enum Unserved: String, Sendable, CaseIterable {
        /// It was refused at once: there was too much to do.
        case refused
        /// Its time was over.
        case late
        /// The client had left.
        case left
    }

    /// The path of the route that answered; nil if no route did.
    public var route: String?

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        pieces = [body]
    }

    /// The body's bytes, end to end.
    public var body: [UInt8] { Array(pieces.joined()) }

    /// Bytes of the body.
    public var length: Int { pieces.reduce(0) { $0 + $1.count } }
}

extension Response {
    /// A JSON body under `status`.
    public static func json(
        status: Int, _ value: JSONValue, headers: [(name: String, value: String)] = []
    ) -> Response {
        json(status: status, pieces: [value.bytes], headers: headers)
    }

    /// A body that is JSON already, in pieces that follow one another.
    static func json(
        status: Int, pieces: [[UInt8]], headers: [(name: String, value: String)] = []
    ) -> Response {
        var response = Response(
            status: status, headers: [("content-type", "application/json")] + headers)
        response.pieces = pieces
        return response
    }
}

extension JSONValue {
    /// The value as JSON text.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }
}
