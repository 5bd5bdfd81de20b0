internal import JSON

/// The shape in which clients of a route read errors.
struct ErrorRendering: Sendable {
    /// The HTTP status, and JSON in pieces that follow one another.
    let content: @Sendable (APIError) -> (status: Int, pieces: [[UInt8]])

    /// `error` in this shape.
    func response(to error: APIError) -> Response {
        let (status, pieces) = content(error)
        var response = Response.json(status: status, pieces: pieces, headers: error.headers)
        response.unserved = error.unserved
        return response
    }

    /// FastAPI's shape: `{"detail": …}`, with a sentence or a list of issues.
    static let fastAPI = ErrorRendering { error in
        let pieces =
            switch error.detail {
            case .text(let text): [(["detail": .string(text)] as JSONValue).bytes]
            case .issues(let issues): pieces(listing: issues)
            }
        return (error.kind.rawValue, pieces)
    }

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

extension Response {
    /// `error` in FastAPI's shape, for answers that belong to no route.
    public init(_ error: APIError) { self = ErrorRendering.fastAPI.response(to: error) }

    /// `error` in the shape of `route`, which it names.
    public init(_ error: APIError, at route: Route) {
        self = route.errors.response(to: error)
        self.route = route.path
    }
}
