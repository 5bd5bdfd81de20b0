/// Why the encoder's files cannot be used.
public enum EncoderError: Error, Equatable, CustomStringConvertible {
    /// config.json is not JSON.
    case configurationNotJSON(String)
    /// A field of config.json describes another model than this code computes.
    case configuration(field: String, found: String, expected: String)
    /// A weight is missing or has another shape; the text names file and tensor.
    case weights(String)

    public var description: String {
        switch self {
        case .configurationNotJSON(let reason): "config.json: not JSON: \(reason)"
        case .configuration(let field, let found, let expected):
            "config.json: \(field) is \(found), this encoder needs \(expected)"
        case .weights(let text): text
        }
    }
}
