/// Whose pages may make a browser send uploads, and under which names the service answers.
public struct SitePolicy: Sendable {
    /// Origins, such as `https://app.example.org`, whose pages may upload; `*` stands for all.
    public var origins: Set<String> = []

    /// Host names to answer under, `*.example.org` standing for those below one; none: under any.
    public var hosts: [String] = []

    public init() {}

    /// The answer to a request under a name that is not ours; nil where it is.
    ///
    /// A page whose own name leads to this address later on is else taken for a page of ours.
    func refusal(ofHost request: Request) -> Response? {
        guard !hosts.isEmpty else { return nil }
        let name = Self.split(request.headers["host"] ?? "").name
        let isOurs = hosts.contains { host in
            host == name || host.hasPrefix("*.") && name.hasSuffix(host.dropFirst())
        }
        return isOurs ? nil : .detail(status: 400, "Invalid host header")
    }

    /// The answer to an upload that a page of another site sends by a visitor's browser; nil where it is none.
    ///
    /// A form needs no permission of ours to be sent across sites. What is no browser sends neither header.
    func refusal(ofUpload request: Request) -> Response? {
        let origin = request.headers["origin"].map(lowercase)
        if origins.contains("*") || origin.map(origins.contains) ?? false { return nil }
        switch request.headers["sec-fetch-site"] {
        // The browser's own word, which no page can alter.
        case "same-origin", "none": return nil
        case nil where origin == nil: return nil
        case nil, "same-site":
            if let origin, isOwn(origin, of: request) { return nil }
        default: break
        }
        return .detail(
            status: 403,
            "Uploads from pages of other sites are refused; --upload-origin lets those of one in")
    }

    /// Whether `origin` is the one that the request is sent to, by the Host header.
    ///
    /// The scheme is not compared: a front that ends TLS passes on http.
    private func isOwn(_ origin: String, of request: Request) -> Bool {
        guard let mark = origin.firstRange(of: "://"), let host = request.headers["host"] else {
            return false
        }
        let usual = origin.hasPrefix("https:") ? "443" : "80"
        let theirs = Self.split(String(origin[mark.upperBound...]))
        let ours = Self.split(host)
        return theirs.name == ours.name && (theirs.port ?? usual) == (ours.port ?? usual)
    }

    /// A host's name, in small letters, and its port.
    private static func split(_ host: String) -> (name: String, port: String?) {
        let host = lowercase(host)
        guard let colon = host.lastIndex(of: ":"), host.last != "]" else { return (host, nil) }
        return (String(host[..<colon]), String(host[host.index(after: colon)...]))
    }
}

/// ASCII letters made small; others have no place in a host's name.
private func lowercase(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                "A"..."Z" ~= scalar ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar
            }))
}
