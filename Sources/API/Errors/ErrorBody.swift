public import JSON

/// One step on the way to what is wrong: a member's name or an element's index.
public enum LocationPart: Sendable, Equatable {
    case name(String)
    case index(Int)
}

extension LocationPart: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .name(value) }
    public init(integerLiteral value: Int) { self = .index(value) }

    /// The step as it stands in `loc`.
    var value: JSONValue {
        switch self {
        case .name(let name): .string(name)
        case .index(let index): .integer(index)
        }
    }
}

/// One entry of FastAPI's error list.
public struct ValidationIssue: Sendable, Equatable {
    /// Pydantic's error type: "missing".
    public var type: String

    /// Where, from "body" on.
    public var loc: [LocationPart]

    /// The sentence for people: "Field required".
    public var msg: String

    /// What came.
    public var input: JSONValue

    /// Values the message is made of; absent where nil.
    public var ctx: JSONObject?

    public init(
        type: String, loc: [LocationPart], msg: String, input: JSONValue, ctx: JSONObject? = nil
    ) {
        self.type = type
        self.loc = loc
        self.msg = msg
        self.input = input
        self.ctx = ctx
    }
}

extension Response {
    /// A JSON body under `status`.
    public static func json(
        status: Int, _ value: JSONValue, headers: [(name: String, value: String)] = []
    ) -> Response {
        var body: [UInt8] = []
        value.write(into: &body)
        return json(status: status, bytes: body, headers: headers)
    }

    /// A body that is JSON already.
    public static func json(
        status: Int, bytes: [UInt8], headers: [(name: String, value: String)] = []
    ) -> Response {
        json(status: status, pieces: [bytes], headers: headers)
    }

    /// The same in pieces that follow one another.
    static func json(
        status: Int, pieces: [[UInt8]], headers: [(name: String, value: String)] = []
    ) -> Response {
        var response = Response(
            status: status, headers: [("content-type", "application/json")] + headers)
        response.pieces = pieces
        return response
    }

    /// FastAPI's body for an `HTTPException`: `{"detail": …}`.
    public static func detail(
        status: Int, _ detail: String, headers: [(name: String, value: String)] = []
    ) -> Response {
        json(status: status, ["detail": .string(detail)], headers: headers)
    }

    /// FastAPI's 422 with its error list.
    public static func validation(_ issues: [ValidationIssue]) -> Response {
        json(status: 422, ["detail": .array(issues.map(\.value))])
    }
}

extension ValidationIssue {
    /// The issue as FastAPI's JSON object, with its members in FastAPI's order.
    var value: JSONValue {
        var object: JSONObject = JSONObject([
            ("type", .string(type)), ("loc", .array(loc.map(\.value))), ("msg", .string(msg)),
            ("input", input),
        ])
        if let ctx { object["ctx"] = .object(ctx) }
        return .object(object)
    }
}
