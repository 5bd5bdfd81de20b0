extension Response {
    /// Starlette's `RedirectResponse` to `path` below the mount point, with the request's query.
    static func redirect(to path: String, of request: Request) -> Response {
        // Within a path these three would begin something else.
        let path = (request.rootPath + path).utf8.reduce(into: "") { encoded, byte in
            switch byte {
            case UInt8(ascii: "?"): encoded += "%3F"
            case UInt8(ascii: "#"): encoded += "%23"
            case UInt8(ascii: "\\"): encoded += "%5C"
            default: encoded += quoted(byte)
            }
        }
        var location = path
        if let authority = request.authority {
            location = "\(request.scheme)://\(authority)\(path)"
        } else if path.hasPrefix("//") {
            // Without a host this would name one.
            location = "/%2F" + path.dropFirst(2)
        }
        if !request.query.isEmpty {
            location += "?" + request.query.utf8.map(quoted).joined()
        }
        return Response(status: 307, headers: [("location", location)])
    }
}

/// Python's `quote(…, safe=":/%#?=@[]!$&'()*+,;")` of one byte.
private func quoted(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        return String(UnicodeScalar(byte))
    default:
        if "_.-~:/%#?=@[]!$&'()*+,;".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "%0" + digits : "%" + digits
    }
}
