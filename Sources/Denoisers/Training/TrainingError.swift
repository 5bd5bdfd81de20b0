/// Why a training run gave no model.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// The loss of an epoch is not a finite number.
    case diverged(epoch: Int)
    /// The caller asked for an end.
    case cancelled

    public var description: String {
        switch self {
        case .diverged(let epoch):
            "training diverged: the loss of epoch \(epoch) is not finite; try a lower learning rate"
        case .cancelled: "training was cancelled"
        }
    }
}
