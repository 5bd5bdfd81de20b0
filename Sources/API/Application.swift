public import Inference
public import System

/// The HTTP API: answers every request, with a result or with an error.
public struct Application: Sendable {
    private let routes: [Route]
    /// What answers each of `routes`, made once.
    private let endpoints: [any Endpoint]
    private let keys: AccessKeys?
    private let sites: SitePolicy

    /// An API in front of `service`.
    ///
    /// - Parameters:
    ///   - keys: the keys that clients need; nil opens every route.
    ///   - sites: which pages may upload, and under which names the service answers.
    ///   - models: the names of models below `/v1/`.
    ///   - team: a second thread for large requests.
    public init(
        service: any DenoisingService, limits: Limits = Limits(), keys: AccessKeys? = nil,
        sites: SitePolicy = SitePolicy(), models: ServedModels = ServedModels(),
        team: WorkerPair? = nil
    ) {
        self.init(
            service: service, limits: limits, keys: keys, sites: sites, models: models, team: team,
            routes: Route.all)
    }

    init(
        service: any DenoisingService, limits: Limits = Limits(), keys: AccessKeys? = nil,
        sites: SitePolicy = SitePolicy(), models: ServedModels = ServedModels(),
        team: WorkerPair? = nil, routes: [Route]
    ) {
        self.routes = routes
        let context = EndpointContext(
            service: service, limits: limits, models: models, team: team)
        endpoints = routes.map { $0.endpoint(context) }
        self.keys = keys
        self.sites = sites
    }

    /// The answer to `request`.
    ///
    /// A body that is too long, or that a route does not need, is left unread. The caller then
    /// reads on or closes the connection.
    public func respond(to request: Request, body: inout some BodySource & ~Copyable) -> Response {
        let began = ContinuousClock.now
        let destination = Destination(of: request.path, among: routes)
        var response: Response
        do throws(APIError) {
            response = try answer(request, at: destination, body: &body)
        } catch {
            response = ErrorRendering(at: request.path).response(to: error)
        }
        if case .route(let index) = destination {
            response.route = routes[index].path
            response.tellTimes(of: routes[index], since: began)
        }
        return request.method == "HEAD" ? response.withoutBody() : response
    }

    /// `error` as clients read it that ask for `path`.
    public func response(to error: APIError, at path: String) -> Response {
        ErrorRendering(at: path).response(to: error)
    }

    private func answer(
        _ request: Request, at destination: Destination, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response {
        try sites.checkHost(of: request)
        switch destination {
        case .redirect(let path): return .redirect(to: path, of: request)
        case .none: throw APIError(.notFound, "Not Found")
        case .route(let index):
            try checkAccess(of: request, to: routes[index])
            return try endpoints[index].respond(to: request, body: &body)
        }
    }

    private func checkAccess(of request: Request, to route: Route) throws(APIError) {
        guard route.methods.contains(request.method) else {
            throw APIError(
                .methodNotAllowed, "Method Not Allowed",
                headers: [("allow", route.methods.joined(separator: ", "))])
        }
        guard let right = route.right else { return }
        if let keys {
            try keys.check(request.headers, for: right)
        } else if right == .train {
            // With keys no check is needed: a page cannot make a browser send an unknown key.
            try sites.checkUpload(request)
        }
    }
}

extension Response {
    /// Adds how long the work of a model's route took: its stages, and all in OpenAI's field.
    fileprivate mutating func tellTimes(of route: Route, since began: ContinuousClock.Instant) {
        guard [.texts, .rows].contains(route.work) else { return }
        let total = Stage("total", began.duration(to: .now))
        headers.append(("server-timing", serverTiming(stages + [total])))
        if route.path.hasPrefix(openAIPrefix) {
            let milliseconds = Int((total.duration / .milliseconds(1)).rounded(.up))
            headers.append(("openai-processing-ms", String(milliseconds)))
        }
    }

    /// The same answer to a HEAD request: no body, but its length.
    fileprivate func withoutBody() -> Response {
        var response = self
        response.headers.append(("content-length", String(length)))
        response.pieces = []
        return response
    }
}

/// `stages` as the header field Server-Timing has them, in milliseconds to a thousandth.
func serverTiming(_ stages: [Stage]) -> String {
    stages.map { stage in
        let microseconds = (stage.duration / .microseconds(1)).rounded()
        return "\(stage.name);dur=\(microseconds / 1000)"
    }.joined(separator: ", ")
}
