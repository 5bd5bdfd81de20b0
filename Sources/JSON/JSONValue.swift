/// A JSON value copied out of its text.
public indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    /// An integer beyond `Int`, as its decimal digits with a sign where negative.
    case bigInteger(String)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// Members in the order their keys first came; a repeated key keeps its place and takes the last value.
public struct JSONObject: Sendable, Equatable {
    /// Names in order.
    public private(set) var keys: [String] = []

    private var members: [String: JSONValue] = [:]

    /// An object without members.
    public init() {}

    /// The value named `key`, if there is one.
    public subscript(key: String) -> JSONValue? {
        get { members[key] }
        set {
            if members.updateValue(newValue ?? .null, forKey: key) == nil { keys.append(key) }
        }
    }
}
