internal import Kernels

/// Everything a forward pass writes, allocated once for batches of up to `capacity` tokens.
public struct EncoderWorkspace: ~Copyable, Sendable {
    /// The most tokens a batch may have.
    public let capacity: Int

    /// A layer's input, [tokens, hidden].
    var input: Matrix
    /// Shape [tokens, hidden] each.
    var query, key, value, context: Matrix
    /// After attention and its layer norm, [tokens, hidden].
    var attended: Matrix
    /// Shape [tokens, inner].
    var intermediate: Matrix
    /// Keys and scores of one head, [1, …].
    var scratch: Matrix

    init(tokens: Int, _ sizes: EncoderConfiguration) {
        capacity = tokens
        input = Matrix(rows: tokens, columns: sizes.hidden)
        query = Matrix(rows: tokens, columns: sizes.hidden)
        key = Matrix(rows: tokens, columns: sizes.hidden)
        value = Matrix(rows: tokens, columns: sizes.hidden)
        context = Matrix(rows: tokens, columns: sizes.hidden)
        attended = Matrix(rows: tokens, columns: sizes.hidden)
        intermediate = Matrix(rows: tokens, columns: sizes.inner)
        scratch = Matrix(rows: 1, columns: attentionScratch(tokens: sizes.positions))
    }

    /// Puts `tokens` rows of every matrix in use.
    mutating func use(tokens: Int) {
        precondition(tokens <= capacity, "\(tokens) tokens in a workspace for \(capacity)")
        input.rows = tokens
        query.rows = tokens
        key.rows = tokens
        value.rows = tokens
        context.rows = tokens
        attended.rows = tokens
        intermediate.rows = tokens
    }
}
