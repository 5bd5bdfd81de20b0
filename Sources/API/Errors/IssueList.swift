internal import JSON

/// FastAPI's error list while it grows, printed as it goes: a hostile body can hold millions of errors.
struct IssueList {
    private var body = Array(#"{"detail":["#.utf8)

    /// Errors found, listed or not.
    private(set) var count = 0

    private let limit: Int
    private var quotable: Int

    /// A list that prints at most `limit` errors and quotes at most `quotable` bytes of the request.
    init(limit: Int, quoting quotable: Int = .max) {
        self.limit = limit
        self.quotable = quotable
    }

    var isEmpty: Bool { count == 0 }

    /// Adds an error; `input` prints what came, `size` bytes of the request.
    mutating func add(
        _ type: IssueType, at location: [LocationPart], size: Int = 0,
        input: (inout [UInt8]) -> Void
    ) {
        count += 1
        guard count <= limit else { return }
        if count > 1 { body.append(UInt8(ascii: ",")) }
        body.append(contentsOf: #"{"type":"#.utf8)
        appendJSON(type.name, to: &body)
        body.append(contentsOf: #","loc":"#.utf8)
        JSONValue.array(location.map(\.value)).write(into: &body)
        body.append(contentsOf: #","msg":"#.utf8)
        appendJSON(type.message, to: &body)
        body.append(contentsOf: #","input":"#.utf8)
        if size <= quotable {
            quotable -= size
            input(&body)
        } else {
            quotable = 0
            body.append(contentsOf: "null".utf8)
        }
        if let context = type.context {
            body.append(contentsOf: #","ctx":"#.utf8)
            context.write(into: &body)
        }
        body.append(UInt8(ascii: "}"))
    }

    /// The 422 that lists the errors.
    consuming func response() -> Response {
        var body = body
        body.append(contentsOf: "]}".utf8)
        return .json(status: 422, bytes: body)
    }
}
