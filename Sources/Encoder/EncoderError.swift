/// Why an encoder cannot be made from its files.
public enum EncoderError: Error, Equatable, CustomStringConvertible {
    /// `config.json` is not JSON, or no object.
    case unreadableConfiguration(String)
    /// A field of `config.json` is missing or describes a model that this encoder does not compute.
    case configuration(field: String, reason: String)
    /// A weight is missing from the checkpoint or has another shape or type.
    case weight(name: String, reason: String)

    public var description: String {
        switch self {
        case .unreadableConfiguration(let reason): "config.json: \(reason)"
        case .configuration(let field, let reason): "config.json: \(field): \(reason)"
        case .weight(let name, let reason): "weight \(name): \(reason)"
        }
    }
}
