internal import JSON

/// The shape in which clients of a route read errors.
struct ErrorRendering: Sendable {
    /// The HTTP status, and JSON in pieces that follow one another.
    let content: @Sendable (APIError) -> (status: Int, pieces: [[UInt8]])

    /// Header fields of the response, in order.
    let headers: @Sendable (APIError) -> [(name: String, value: String)]

    init(
        content: @escaping @Sendable (APIError) -> (status: Int, pieces: [[UInt8]]),
        headers: @escaping @Sendable (APIError) -> [(name: String, value: String)] = { $0.headers }
    ) {
        self.content = content
        self.headers = headers
    }

    /// `error` in this shape.
    func response(to error: APIError) -> Response {
        let (status, pieces) = content(error)
        var response = Response.json(status: status, pieces: pieces, headers: headers(error))
        response.unserved = error.unserved
        return response
    }

    /// FastAPI's shape: `{"detail": …}`, with a sentence or a list of issues.
    static let fastAPI = ErrorRendering(content: { error in
        let pieces =
            switch error.detail {
            case .text(let text): [(["detail": .string(text)] as JSONValue).bytes]
            case .issues(let issues): pieces(listing: issues)
            }
        return (error.kind.rawValue, pieces)
    })

    /// Pieces keep a long list from being copied whenever it outgrows its array.
    private static func pieces(listing issues: [ValidationIssue]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var piece = Array(#"{"detail":["#.utf8)
        for (index, issue) in issues.enumerated() {
            if index > 0 { piece.append(UInt8(ascii: ",")) }
            issue.write(into: &piece)
            if piece.count >= pieceBytes {
                pieces.append(piece)
                piece = []
            }
        }
        piece.append(contentsOf: "]}".utf8)
        return pieces + [piece]
    }

    private static let pieceBytes = 16 << 10
}

extension ErrorRendering {
    /// The shape for requests to `path`, which is below the mount point.
    init(at path: String) { self = path.hasPrefix(openAIPrefix) ? .openAI : .fastAPI }
}

/// What the paths begin with at which clients expect OpenAI's habits; elsewhere it is FastAPI's.
let openAIPrefix = "/v1/"

extension Response {
    /// `error` in FastAPI's shape, for answers that belong to no route.
    public init(_ error: APIError) { self = ErrorRendering.fastAPI.response(to: error) }

    /// `error` for a request whose path is known only with the mount point before it.
    ///
    /// The answer names the route whose path ends it.
    public init(_ error: APIError, atPathEnding path: some BidirectionalCollection<UInt8>) {
        let route = Route.ending(path)
        let place = route?.path ?? String(decoding: path, as: UTF8.self)
        self = ErrorRendering(at: place).response(to: error)
        self.route = route?.path
    }
}
