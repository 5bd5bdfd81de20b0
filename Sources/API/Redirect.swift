extension Response {
    /// Starlette's `RedirectResponse` to `path` below the mount point, with the request's query.
    static func redirect(to path: String, of request: Request) -> Response {
        // Within a path a question mark or a hash sign would begin something else.
        let path = percentEncoded(request.rootPath + path) {
            isKept($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
        var location = path
        if let authority = request.authority {
            location = "\(request.scheme)://\(authority)\(path)"
        } else if path.hasPrefix("//") {
            // Without a host the path would name one.
            location = "/%2F" + path.dropFirst(2)
        }
        if !request.query.isEmpty {
            location += "?" + percentEncoded(request.query, keeping: isKept)
        }
        return Response(status: 307, headers: [("location", location)])
    }
}

/// Whether Python's `quote(…, safe=":/%#?=@[]!$&'()*+,;")` leaves the byte as it is.
private func isKept(_ byte: UInt8) -> Bool {
    byte.isAlphanumeric || "_.-~:/%#?=@[]!$&'()*+,;".utf8.contains(byte)
}
