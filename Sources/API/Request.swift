public import System
internal import Inference

/// A request as the routes see it, independent of the protocol below.
public struct Request: Sendable {
    /// The method, as sent: "GET".
    public var method: String

    /// The decoded path below the mount point, from its first slash: "/denoise/text".
    public var path: String

    /// The raw query string without "?"; empty if there is none.
    public var query: String

    /// The mount point without a trailing slash (FastAPI's `root_path`); "" is the root.
    public var rootPath: String

    /// The header fields; each character is one byte (ISO 8859-1).
    public var headers: any HeaderFields

    /// How the client reached the web server: "http" or "https".
    public var scheme: String

    /// The web server's own host and port, "example.org:8080"; empty if unknown.
    ///
    /// Links name it if the Host header is missing or is no host.
    public var server: String

    /// How long the client waits for the answer, and whether it still does.
    public var caller = Caller()

    /// The request's share of the memory for requests; nil if memory is not shared out.
    public var memory: RequestMemory?

    public init(
        method: String, path: String, query: String = "", rootPath: String = "",
        headers: any HeaderFields = [:], scheme: String = "http", server: String = ""
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.rootPath = rootPath
        self.headers = headers
        self.scheme = scheme
        self.server = server
    }
}

/// A request's header fields, looked up one by one: most that a browser sends are never read.
public protocol HeaderFields: Sendable {
    /// The field with a lower-case name, "content-type"; nil if the request has none.
    subscript(name: String) -> String? { get }
}

extension Dictionary: HeaderFields where Key == String, Value == String {}

/// The source of a request's body, which is read once, front to back.
public protocol BodySource: ~Copyable {
    /// The length that the request declares; nil if it declares none.
    var declaredLength: Int? { get }

    /// Appends the next bytes, at most `limit`, to `buffer`; returns how many, 0 at the end.
    ///
    /// - Throws: `BodyError` if the peer left or sent another length than it declared.
    mutating func read(upTo limit: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int
}

/// Why a body did not come whole.
public enum BodyError: Error, Equatable {
    /// The connection failed or timed out.
    case broken
    /// The peer sent fewer or more bytes than it declared.
    case wrongLength
    /// There is no memory for the body now.
    case noRoom
    /// The body did not come in time.
    case tooLate
    /// The client no longer waits for an answer.
    case callerLeft
}
