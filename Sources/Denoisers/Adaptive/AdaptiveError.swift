/// Why parameters of an adaptive denoiser cannot be used, or a training run gave none.
public enum AdaptiveError: Error, Equatable, CustomStringConvertible {
    /// A tensor is missing, of another shape, or holds what no training leaves.
    case parameters(String)
    /// There are too few rows to train on.
    case tooFewRows(Int, needed: Int)
    /// A row to train on has not the length 1 that clean embeddings have.
    case notClean(row: Int, length: Double)
    /// The loss is not a finite number any more.
    case diverged(step: Int)
    /// The caller asked for an end.
    case cancelled

    public var description: String {
        switch self {
        case .parameters(let text): text
        case .tooFewRows(let rows, let needed):
            "\(rows) rows are too few to train an adaptive denoiser on; it needs \(needed)"
        case .notClean(let row, let length):
            "row \(row) to train on has the length \(length); clean embeddings have 1"
        case .diverged(let step):
            "training diverged: the loss of step \(step) is not finite; try a lower learning rate"
        case .cancelled: "training was cancelled"
        }
    }
}
