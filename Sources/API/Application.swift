public import Inference
public import System

/// The whole API: a request goes in, its answer comes out, whatever happens.
public struct Application: Sendable {
    private let service: any DenoisingService
    private let limits: Limits
    private let keys: AccessKeys?
    private let sites: SitePolicy
    private let team: ComputeTeam?

    /// An API in front of `service`, open to all or to those with one of `keys`.
    ///
    /// - Parameters:
    ///   - sites: whose pages may upload, and under which names the service answers.
    ///   - team: a second thread for what is large.
    public init(
        service: any DenoisingService, limits: Limits = Limits(), keys: AccessKeys? = nil,
        sites: SitePolicy = SitePolicy(), team: ComputeTeam? = nil
    ) {
        self.service = service
        self.limits = limits
        self.keys = keys
        self.sites = sites
        self.team = team
    }

    /// The answer to `request`.
    ///
    /// A body that a route does not need, or that is too long, is left unread: the caller reads on
    /// or closes the connection.
    public func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        let destination = Destination(of: request)
        var response = answer(request, at: destination, body: &body)
        if case .route(let route) = destination { response.route = route.rawValue }
        return request.method == "HEAD" ? response.withoutBody() : response
    }

    private func answer(
        _ request: Request, at destination: Destination, body: inout some BodySource & ~Copyable
    ) -> Response {
        if let refusal = sites.refusal(ofHost: request) { return refusal }
        return switch destination {
        case .redirect(let path): .redirect(to: path, of: request)
        case .none: .detail(status: 404, "Not Found")
        case .route(let route):
            if route.methods.contains(request.method) {
                route.right.flatMap { keys?.refusal(of: request.headers, for: $0) }
                    // No page can make a browser send a key that it does not know.
                    ?? (route == .upload && keys == nil ? sites.refusal(ofUpload: request) : nil)
                    ?? answer(request, on: route, body: &body)
            } else {
                .detail(
                    status: 405, "Method Not Allowed",
                    headers: [("allow", route.methods.joined(separator: ", "))])
            }
        }
    }

    private func answer(
        _ request: Request, on route: Route, body: inout some BodySource & ~Copyable
    ) -> Response {
        switch route {
        case .root: RootEndpoint.respond()
        case .health: HealthEndpoint(service: service).respond()
        case .openAPI: OpenAPIDocument.respond(to: request)
        case .docs, .docsOAuth2, .redoc:
            DocsPages.page(for: route.rawValue, rootPath: request.rootPath)
                ?? .detail(status: 404, "Not Found")
        case .denoiseText:
            DenoiseTextEndpoint(service: service, limits: limits, team: team)
                .respond(to: request, body: &body)
        case .denoiseEmbedding:
            DenoiseEmbeddingEndpoint(service: service, limits: limits, team: team)
                .respond(to: request, body: &body)
        case .upload:
            UploadEndpoint(service: service, limits: limits).respond(to: request, body: &body)
        }
    }
}

extension Response {
    /// The same answer to a HEAD request: no body, but its length.
    fileprivate func withoutBody() -> Response {
        var response = self
        response.headers.append(("content-length", String(length)))
        response.pieces = []
        return response
    }
}
