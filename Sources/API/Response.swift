public import Inference

/// A complete response; nothing of it is sent before all of it is known.
public struct Response: Sendable {
    /// The HTTP status.
    public var status: Int

    /// Header fields in order; `Content-Length` is added where the response is written.
    public var headers: [(name: String, value: String)]

    /// The bytes of the body, in pieces that follow one another; none for a HEAD request.
    public var pieces: [[UInt8]]

    /// How long the stages of the work took, in order; for logs, not sent.
    public var stages: [Stage] = []

    /// Why nothing was computed for want of time; nil where that was not so.
    public var unserved: Unserved?

    /// Why a request got nothing.
    public enum Unserved: String, Sendable, CaseIterable {
        /// At once: there was too much to do.
        case refused
        /// When its time was over.
        case late
        /// Nobody waited for the answer any more.
        case left
    }

    /// The path of the route that answered; nil where none did.
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
