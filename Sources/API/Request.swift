public import System
internal import Inference

/// A request as the routes see it, free of any protocol below.
public struct Request: Sendable {
    /// The method, as sent: "GET".
    public var method: String

    /// The decoded path below the mount point, from its first slash: "/denoise/text".
    public var path: String

    /// The raw query string without "?", empty where there is none.
    public var query: String

    /// The mount point without a trailing slash, "" at the root (FastAPI's `root_path`).
    public var rootPath: String

    /// The header fields; a character for every byte (ISO 8859-1).
    public var headers: any HeaderFields

    /// How the client reached the web server: "http" or "https".
    public var scheme: String

    /// The web server's own host and port, "example.org:8080", for links where the Host header is
    /// missing or no host; empty where it is unknown.
    public var server: String

    /// Who waits for the answer, and until when.
    public var caller = Caller()

    /// What the request has of the memory that is shared; nil where nothing is.
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

/// A request's header fields, looked up one by one: of the dozen that a browser sends three are ever read.
public protocol HeaderFields: Sendable {
    /// The field with a lower-case name, "content-type"; nil where the request has none.
    subscript(name: String) -> String? { get }
}

extension Dictionary: HeaderFields where Key == String, Value == String {}

/// Where a request's body comes from; read once, front to back.
public protocol BodySource: ~Copyable {
    /// The length the request declares, nil where it declares none.
    var declaredLength: Int? { get }

    /// Appends the next bytes, at most `limit`, to `buffer`; returns how many, 0 at the end.
    ///
    /// - Throws: `BodyError` where the peer left or sent another length than it declared.
    mutating func read(upTo limit: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int
}

/// A body that did not come whole; the request gets no answer worth sending.
public enum BodyError: Error, Equatable {
    /// The connection failed or timed out.
    case broken
    /// Fewer or more bytes came than were declared.
    case wrongLength
    /// There is no memory for it now.
    case noRoom
    /// It was not there in time.
    case tooLate
    /// Nobody waits for an answer any more.
    case callerLeft
}
