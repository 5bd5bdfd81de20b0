/// Why parameters cannot be used or a training run gave none.
public enum AutoencoderError: Error, Equatable, CustomStringConvertible {
    /// A tensor is missing, superfluous or of another shape.
    case parameters(String)
    /// The loss of an epoch is not a finite number.
    case diverged(epoch: Int)
    /// The caller asked for an end.
    case cancelled

    public var description: String {
        switch self {
        case .parameters(let text): text
        case .diverged(let epoch):
            "training diverged: the loss of epoch \(epoch) is not finite; try a lower learning rate"
        case .cancelled: "training was cancelled"
        }
    }
}
