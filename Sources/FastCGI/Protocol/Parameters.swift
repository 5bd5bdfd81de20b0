/// A request's CGI variables, and their meaning in HTTP.
///
/// If a variable comes twice, the last value counts, as in PHP: a web server sends its own defaults
/// before the values of its configuration.
public struct Parameters: Sendable {
    /// The place of a variable in `text`.
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

    /// The value of a CGI variable; nil if it is absent or empty, which is the same in CGI.
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
    /// `PATH_INFO`, else `DOCUMENT_URI` or `SCRIPT_NAME`. The web server matched its own rules
    /// against this path, so no spelling of a path gets around them. Empty at the mount point
    /// itself.
    public var path: String {
        if mount != nil { return "" }
        let path = self["PATH_INFO"] ?? self["DOCUMENT_URI"] ?? self["SCRIPT_NAME"] ?? "/"
        // Compared as bytes: a slash with a combining mark behind it is another character.
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    /// The mount point without a trailing slash, "" at the root.
    public var rootPath: String {
        if let mount { return mount }
        guard let path = self["PATH_INFO"], var script = self["SCRIPT_NAME"] else { return "" }
        // A configuration may set both to the whole path; then there is no mount point.
        if script == path || self["DOCUMENT_URI"] == path { return "" }
        // Apache sends the script's name even if a rewrite rule hides it from the address. The
        // mount point is then the script's folder.
        if script.hasSuffix(".fcgi"), let address = self["REQUEST_URI"], !address.hasPrefix(script),
            let name = script.unicodeScalars.lastIndex(of: "/")
        {
            script.unicodeScalars.removeSubrange(name...)
        }
        while script.utf8.last == UInt8(ascii: "/") { script.unicodeScalars.removeLast() }
        return script
    }

    /// The mount point if exactly that was requested, without a slash.
    ///
    /// The nginx files set this variable: in CGI an empty PATH_INFO is the same as none. Names of
    /// variables from a client begin with HTTP_.
    private var mount: String? { self["DENOISER_MOUNT"] }

    /// The raw query without "?"; empty if there is none.
    public var query: String { self["QUERY_STRING"] ?? "" }

    /// The declared length of the body in bytes; nil if none is declared.
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

    /// The scheme by which the client reached the web server: "https" or "http".
    public var scheme: String {
        if let scheme = self["REQUEST_SCHEME"] { return scheme }
        guard let secure = self["HTTPS"] else { return "http" }
        return secure.lowercased() == "off" ? "http" : "https"
    }

    /// The web server's own address, else its name, with the port if it is not the scheme's
    /// default.
    ///
    /// The address comes first: the name may be a pattern ("_", "*.example.org") or the client's
    /// own spelling.
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

    /// The header field with this lower-case name, such as "content-type"; nil if it is absent.
    ///
    /// Each byte becomes one character, as in HTTP (ISO 8859-1), so that none is lost. `proxy` is
    /// always nil: some libraries would take it for the proxy of their own requests.
    public func header(_ name: String) -> String? {
        switch name {
        // These two have variables of their own. A copy under HTTP_ is another spelling by the
        // client.
        case "content-type": return field("CONTENT_TYPE")
        case "content-length": return field("CONTENT_LENGTH")
        case "proxy": return nil
        default: break
        }
        // Web servers write only this spelling. With others accepted, a field could come twice.
        let variable = Array("HTTP_".utf8) + name.utf8.map(Self.spelling)
        if let value = value(of: variable.span) { return Self.latin1Text(value) }
        // Apache renames it if a rule rewrote the request.
        return name == "authorization" ? field("REDIRECT_HTTP_AUTHORIZATION") : nil
    }

    /// A variable's bytes as characters; nil if it is absent or empty.
    private func field(_ name: String) -> String? {
        guard let value = value(of: name), !value.isEmpty else { return nil }
        return Self.latin1Text(value)
    }

    /// The byte in a variable's name for a byte of its header's name.
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

    /// Refuses a length that is not a number, because the body could not be checked against it.
    func check() throws(FastCGIError) {
        if let value = value(of: "CONTENT_LENGTH"), !value.isEmpty, contentLength == nil {
            throw .brokenProtocol("CONTENT_LENGTH is not a number")
        }
    }
}
