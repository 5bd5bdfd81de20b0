/// A request's CGI variables, and what they say in terms of HTTP.
///
/// Of a variable that comes twice the last counts, as in PHP: a web server's own defaults come
/// before what its configuration sets.
public struct Parameters: Sendable {
    private var values: [String: [UInt8]] = [:]

    /// Reads entries of the form `NAME=value`.
    init(environment: [[UInt8]]) {
        values.reserveCapacity(environment.count)
        for entry in environment {
            guard let sign = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<sign], as: UTF8.self)
            values[name] = Array(entry[(sign + 1)...])
        }
    }

    /// The value of a CGI variable; nil where it is absent or empty, which CGI does not tell apart.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    public subscript(name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// The method, as sent: "GET".
    public var method: String { self["REQUEST_METHOD"] ?? "GET" }

    /// The decoded path below the mount point.
    ///
    /// `PATH_INFO`, else `DOCUMENT_URI` or `SCRIPT_NAME`: what the web server matched its own
    /// rules against, so that no spelling of a path gets around them.
    public var path: String {
        let path = self["PATH_INFO"] ?? self["DOCUMENT_URI"] ?? self["SCRIPT_NAME"] ?? "/"
        // By bytes: a slash with a combining mark behind it is another character.
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    /// The mount point without a trailing slash, "" at the root.
    public var rootPath: String {
        guard let path = self["PATH_INFO"], var script = self["SCRIPT_NAME"] else { return "" }
        // A configuration may set both to the whole path; then nothing is mounted.
        if script == path || self["DOCUMENT_URI"] == path { return "" }
        // Apache tells the script's name even where a rewrite rule hides it from the address; the
        // service is then mounted where the script stands.
        if script.hasSuffix(".fcgi"), let address = self["REQUEST_URI"], !address.hasPrefix(script),
            let name = script.unicodeScalars.lastIndex(of: "/")
        {
            script.unicodeScalars.removeSubrange(name...)
        }
        while script.utf8.last == UInt8(ascii: "/") { script.unicodeScalars.removeLast() }
        return script
    }

    /// The raw query without "?", empty where there is none.
    public var query: String { self["QUERY_STRING"] ?? "" }

    /// The declared length of the body in bytes; nil where none is declared.
    public var contentLength: Int? { self["CONTENT_LENGTH"].flatMap(Self.length) }

    /// "https" or "http", as the client reached the web server.
    public var scheme: String {
        if let scheme = self["REQUEST_SCHEME"] { return scheme }
        guard let secure = self["HTTPS"] else { return "http" }
        return secure.lowercased() == "off" ? "http" : "https"
    }

    /// The web server's own address, else its name, with a port where it is not the scheme's own.
    ///
    /// The address first: a name may be a pattern ("_", "*.example.org") or what the client called it.
    public var server: String {
        let address = self["SERVER_ADDR"].flatMap { $0.hasPrefix("unix:") ? nil : $0 }
        var name = address ?? self["SERVER_NAME"] ?? "localhost"
        if name.contains(":"), !name.hasPrefix("[") { name = "[\(name)]" }
        guard let port = self["SERVER_PORT"], port != (scheme == "https" ? "443" : "80") else {
            return name
        }
        return "\(name):\(port)"
    }

    /// Header fields under lower-case names: "content-type".
    ///
    /// Every byte of a value is one character, as HTTP has it (ISO 8859-1), so that none is lost.
    /// Without `Proxy`, which some libraries would take for the proxy of their own requests.
    public var headers: [String: String] {
        var headers: [String: String] = [:]
        headers.reserveCapacity(values.count)
        for (name, value) in values where name.hasPrefix("HTTP_") && name != "HTTP_PROXY" {
            // No web server writes others; two spellings of one field would fight for its place.
            guard !name.utf8.contains(where: Self.isForeign) else { continue }
            headers[Self.headerName(name.dropFirst(5))] = Self.latin1Text(value)
        }
        // These two come under names of their own; a copy under HTTP_ is the client's spelling.
        headers["content-type"] = header("CONTENT_TYPE")
        headers["content-length"] = header("CONTENT_LENGTH")
        // Apache renames it where a request was rewritten.
        if let authorization = header("REDIRECT_HTTP_AUTHORIZATION"),
            headers["authorization"] == nil
        {
            headers["authorization"] = authorization
        }
        return headers
    }

    private func header(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return Self.latin1Text(value)
    }

    private static func latin1Text(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// Refuses a length that is not a number: a body that cannot be checked counts for nothing.
    func check() throws(FastCGIError) {
        if let text = self["CONTENT_LENGTH"], Self.length(text) == nil {
            throw .brokenProtocol("CONTENT_LENGTH is not a number")
        }
    }

    private static func length(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        return Int(text)
    }

    /// Whether a byte cannot stand in a variable that a web server makes of a header's name.
    private static func isForeign(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
    }

    private static func headerName(_ name: Substring) -> String {
        let bytes = name.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "_"): UInt8(ascii: "-")
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            default: byte
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
