/// The paths that something answers on, in the order FastAPI looks through them.
enum Route: String, CaseIterable {
    case openAPI = "/openapi.json"
    case docs = "/docs"
    case docsOAuth2 = "/docs/oauth2-redirect"
    case redoc = "/redoc"
    case root = "/"
    case denoiseText = "/denoise/text"
    case denoiseEmbedding = "/denoise/embedding"
    case health = "/health"
    case upload = "/upload/"

    /// What it answers to.
    ///
    /// Starlette's own routes take HEAD where they take GET, FastAPI's do not.
    var methods: [String] {
        switch self {
        case .openAPI, .docs, .docsOAuth2, .redoc: ["GET", "HEAD"]
        case .root, .health: ["GET"]
        case .denoiseText, .denoiseEmbedding, .upload: ["POST"]
        }
    }

    /// The route at `path`, to the byte.
    ///
    /// Starlette's patterns also match before a last line feed. A web server's rules for a path do
    /// not, so that path would pass them by.
    init?(path: String) {
        let found = Self.allCases.first { route in
            path.utf8.elementsEqual(route.rawValue.utf8)
        }
        guard let found else { return nil }
        self = found
    }
}

/// Where a request belongs.
enum Destination {
    case route(Route)
    /// Here, with a trailing slash more or all of them fewer.
    case redirect(path: String)
    case none

    init(of request: Request) {
        if let route = Route(path: request.path) {
            self = .route(route)
            return
        }
        let other =
            request.path.hasSuffix("/")
            ? String(request.path.reversed().drop { $0 == "/" }.reversed()) : request.path + "/"
        self = Route(path: other) == nil ? .none : .redirect(path: other)
    }
}
