internal import Inference
internal import System

/// One path that answers requests; `Route.all` holds a row for each.
public struct Route: Sendable {
    /// The path below the mount point: "/denoise/text".
    ///
    /// If it ends in "/{name}", any characters stand in that place, at least one.
    public let path: String

    /// The path up to a name at its end; nil if it has none.
    let beginning: String?

    /// The methods that the path answers.
    ///
    /// Starlette's own routes take HEAD besides GET. FastAPI's routes do not.
    let methods: [String]

    /// What a key must allow; nil leaves the route open to everybody.
    var right: AccessKeys.Right?

    /// What answering costs, by which requests are queued.
    public var work = Work.little

    /// The route in the OpenAPI document; nil leaves it out.
    var description: RouteDescription?

    /// Makes what answers the route's requests.
    let endpoint: @Sendable (EndpointContext) -> any Endpoint

    /// What answering a request consists of.
    public enum Work: Sendable {
        /// Nothing that takes time.
        case little
        /// Embedding texts.
        case texts
        /// Denoising rows of numbers.
        case rows
        /// Training a model.
        case training
    }

    init(
        _ path: String, _ methods: [String], right: AccessKeys.Right? = nil,
        work: Work = .little,
        description: RouteDescription? = nil,
        endpoint: @escaping @Sendable (EndpointContext) -> any Endpoint
    ) {
        self.path = path
        beginning = path.lastIndex(of: "{").map { String(path[..<$0]) }
        self.methods = methods
        self.right = right
        self.work = work
        self.description = description
        self.endpoint = endpoint
    }
}

/// What endpoints answer with.
struct EndpointContext: Sendable {
    let service: any DenoisingService
    let limits: Limits
    /// The names of models below `/v1/`.
    let models: ServedModels
    /// A second thread for large requests.
    let team: WorkerPair?
}

/// What answers a route's requests.
protocol Endpoint: Sendable {
    /// The answer to a request that may be answered.
    ///
    /// - Throws: why there is none; the route's `errors` renders it.
    func respond(
        to request: Request, body: inout some BodySource & ~Copyable
    ) throws(APIError) -> Response
}

/// Where a request belongs among `routes`.
enum Destination: Equatable {
    /// To the route with this index.
    case route(Int)
    /// To a route's path, which has a trailing slash more or all of them fewer.
    case redirect(path: String)
    case none

    init(of path: String, among routes: [Route]) {
        if let index = Self.index(of: path, among: routes) {
            self = .route(index)
            return
        }
        let other =
            path.hasSuffix("/")
            ? String(path.reversed().drop { $0 == "/" }.reversed()) : path + "/"
        self = Self.index(of: other, among: routes) == nil ? .none : .redirect(path: other)
    }

    /// The route at `path`, compared byte by byte.
    ///
    /// Starlette's patterns also match before a last line feed. A web server's rules for a path do
    /// not, so such a path would bypass them.
    private static func index(of path: String, among routes: [Route]) -> Int? {
        routes.firstIndex { route in
            guard let beginning = route.beginning else {
                return path.utf8.elementsEqual(route.path.utf8)
            }
            return path.utf8.starts(with: beginning.utf8)
                && path.utf8.count > beginning.utf8.count
        }
    }
}
