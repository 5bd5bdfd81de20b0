/// A request's CGI variables, and what they say in terms of HTTP.
///
/// Of a variable that comes twice the last counts, as in PHP: a web server's own defaults come
/// before what its configuration sets.
public struct Parameters: Sendable {
    /// Where a variable lies in `text`.
    private struct Entry {
        let start, sign, end: Int
    }

    private let text: [UInt8]
    private let entries: [Entry]

    /// Reads entries of the form `NAME=value`, each with a NUL behind it.
    init(environment text: [UInt8]) {
        self.text = text
        var entries: [Entry] = []
        entries.reserveCapacity(32)
        var rest = text[...]
        while let end = rest.firstIndex(of: 0) {
            let entry = rest[..<end]
            if let sign = entry.firstIndex(of: UInt8(ascii: "=")) {
                entries.append(Entry(start: entry.startIndex, sign: sign, end: end))
            }
            rest = rest[(end + 1)...]
        }
        self.entries = entries
    }

    /// The value of a CGI variable; nil where it is absent or empty, which CGI does not tell apart.
    ///
    /// Bytes that are not UTF-8 become U+FFFD.
    public subscript(name: String) -> String? {
        guard let value = value(of: name), !value.isEmpty else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    /// The last value of a variable.
    private func value(of name: String) -> ArraySlice<UInt8>? { value(of: name.utf8.span) }

    private func value(of name: Span<UInt8>) -> ArraySlice<UInt8>? {
        for entry in entries.reversed() where entry.sign - entry.start == name.count {
            if name.indices.allSatisfy({ text[entry.start + $0] == name[$0] }) {
                return text[(entry.sign + 1)..<entry.end]
            }
        }
        return nil
    }

    /// The method, as sent: "GET".
    public var method: String { self["REQUEST_METHOD"] ?? "GET" }

    /// The decoded path below the mount point.
    ///
    /// `PATH_INFO`, else `DOCUMENT_URI` or `SCRIPT_NAME`: what the web server matched its own
    /// rules against, so that no spelling of a path gets around them. Empty at the mount point itself.
    public var path: String {
        if mount != nil { return "" }
        let path = self["PATH_INFO"] ?? self["DOCUMENT_URI"] ?? self["SCRIPT_NAME"] ?? "/"
        // By bytes: a slash with a combining mark behind it is another character.
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    /// The mount point without a trailing slash, "" at the root.
    public var rootPath: String {
        if let mount { return mount }
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

    /// The mount point if just that was asked for, without a slash.
    ///
    /// A variable of our own: an empty PATH_INFO is to CGI the same as none, and what a client
    /// sends comes under names that begin with HTTP_.
    private var mount: String? { self["DENOISER_MOUNT"] }

    /// The raw query without "?", empty where there is none.
    public var query: String { self["QUERY_STRING"] ?? "" }

    /// The declared length of the body in bytes; nil where none is declared.
    public var contentLength: Int? {
        guard let digits = value(of: "CONTENT_LENGTH"), !digits.isEmpty else { return nil }
        var length = 0
        for byte in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            let (tens, isTooMuch) = length.multipliedReportingOverflow(by: 10)
            let (sum, isMore) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            if isTooMuch || isMore { return nil }
            length = sum
        }
        return length
    }

    /// "https" or "http", as the client reached the web server.
    public var scheme: String {
        if let scheme = self["REQUEST_SCHEME"] { return scheme }
        guard let secure = self["HTTPS"] else { return "http" }
        return secure.lowercased() == "off" ? "http" : "https"
    }

    /// The web server's own address, else its name, with a port where it is not the scheme's own.
    ///
    /// The address first: a name may be a pattern ("_", "*.example.org") or what the client called it.
    public func server(under scheme: String) -> String {
        let address = self["SERVER_ADDR"].flatMap { $0.hasPrefix("unix:") ? nil : $0 }
        var name = address ?? self["SERVER_NAME"] ?? "localhost"
        if name.utf8.contains(UInt8(ascii: ":")), !name.hasPrefix("[") { name = "[\(name)]" }
        guard let port = self["SERVER_PORT"],
            port != (["https", "wss"].contains(scheme) ? "443" : "80")
        else {
            return name
        }
        return "\(name):\(port)"
    }

    /// The field of a request's header with this lower-case name ("content-type"); nil where it is absent.
    ///
    /// Every byte is one character, as HTTP has it (ISO 8859-1), so that none is lost. `proxy` is none: some
    /// libraries would take it for the proxy of their own requests.
    public func header(_ name: String) -> String? {
        switch name {
        // These two come under names of their own; a copy under HTTP_ is the client's spelling.
        case "content-type": return field("CONTENT_TYPE")
        case "content-length": return field("CONTENT_LENGTH")
        case "proxy": return nil
        default: break
        }
        // No web server writes other spellings; two of one field would fight for its place.
        let variable = Array("HTTP_".utf8) + name.utf8.map(Self.spelling)
        if let value = value(of: variable.span) { return Self.latin1Text(value) }
        // Apache renames it where a request was rewritten.
        return name == "authorization" ? field("REDIRECT_HTTP_AUTHORIZATION") : nil
    }

    /// A variable's bytes as characters; nil where it is absent or empty.
    private func field(_ name: String) -> String? {
        guard let value = value(of: name), !value.isEmpty else { return nil }
        return Self.latin1Text(value)
    }

    /// A byte of a header's name as it stands in its variable's.
    private static func spelling(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "-"): UInt8(ascii: "_")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte & ~0x20
        default: byte
        }
    }

    private static func latin1Text(_ bytes: ArraySlice<UInt8>) -> String {
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// Refuses a length that is not a number: a body that cannot be checked counts for nothing.
    func check() throws(FastCGIError) {
        if let value = value(of: "CONTENT_LENGTH"), !value.isEmpty, contentLength == nil {
            throw .brokenProtocol("CONTENT_LENGTH is not a number")
        }
    }
}
