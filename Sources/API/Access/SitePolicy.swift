/// Which pages may make a browser send uploads, and under which names the service answers.
public struct SitePolicy: Sendable, Equatable {
    /// Origins, such as `https://app.example.org`, whose pages may upload; `*` stands for all.
    public var origins: Set<String> = []

    /// Host names to answer under, `*.example.org` for all below it; without any, every name.
    public var hosts: [String] = []

    public init() {}

    /// Checks that a request names a host of this service.
    ///
    /// A page can change its own name's address to this server's. Without this check such a page is
    /// taken for a page of this service.
    func checkHost(of request: Request) throws(APIError) {
        guard !hosts.isEmpty else { return }
        let name = Self.split(request.headers["host"] ?? "").name
        let isOurs = hosts.contains { host in
            host == name || host.hasPrefix("*.") && name.hasSuffix(host.dropFirst())
        }
        guard isOurs else { throw APIError(.malformed, "Invalid host header") }
    }

    /// Checks that no page of another site makes a visitor's browser send this upload.
    ///
    /// A form needs no permission of this service to be sent across sites. Clients other than
    /// browsers send neither header.
    func checkUpload(_ request: Request) throws(APIError) {
        let origin = request.headers["origin"].map(lowercase)
        if origins.contains("*") || origin.map(origins.contains) ?? false { return }
        switch request.headers["sec-fetch-site"] {
        // The browser writes this header; no page can alter it.
        case "same-origin", "none": return
        case nil where origin == nil: return
        case nil, "same-site":
            if let origin, isOwn(origin, of: request) { return }
        default: break
        }
        throw APIError(
            .forbidden,
            "Uploads from pages of other sites are refused; --upload-origin lets those of one in")
    }

    /// Whether `origin` is the host that the request's Host header names.
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

    /// A host's name, in lower case, and its port.
    private static func split(_ host: String) -> (name: String, port: String?) {
        let host = lowercase(host)
        guard let colon = host.lastIndex(of: ":"), host.last != "]" else { return (host, nil) }
        return (String(host[..<colon]), String(host[host.index(after: colon)...]))
    }
}

/// `text` with ASCII letters in lower case; a host's name has no others.
private func lowercase(_ text: String) -> String {
    String(decoding: text.utf8.map(\.lowercased), as: UTF8.self)
}
