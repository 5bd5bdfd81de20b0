internal import Kernels
internal import Tensors
internal import System

/// What one forward pass needs beside the weights: made once, used again by one pass at a time.
public struct EncoderWorkspace: ~Copyable, Sendable {
    /// The most tokens that a batch may hold.
    public let tokens: Int

    let buffers: EncoderBuffers

    init(tokens: Int, configuration: EncoderConfiguration, packed: Bool) {
        precondition(tokens > 0, "a workspace for \(tokens) tokens")
        self.tokens = tokens
        buffers = EncoderBuffers(tokens: tokens, configuration: configuration, packed: packed)
    }
}

/// The workspace's matrices, reachable from each thread of a team.
struct EncoderBuffers: Sendable {
    /// [tokens, hidden]: what goes from layer to layer.
    let hidden: SharedMatrix
    /// [tokens, hidden]: queries, in whose place attention leaves the context.
    let query: SharedMatrix
    /// Transposed keys: rows of `EncoderBuffers.keyStride(tokens:)`, one for each feature.
    let keys: SharedMatrix
    /// [tokens, hidden]: values, then the product that a layer norm adds to `hidden`.
    let values: SharedMatrix
    /// [tokens, inner]: inside the feed-forward part.
    let inner: SharedMatrix
    /// A row of scores for each thread.
    let scores: SharedMatrix
    /// A row for each thread: the operand of a product with packed weights; nil where they are not.
    let panels: SharedMatrix?

    init(tokens: Int, configuration: EncoderConfiguration, packed: Bool) {
        hidden = SharedMatrix(rows: tokens, columns: configuration.hidden)
        query = SharedMatrix(rows: tokens, columns: configuration.hidden)
        keys = SharedMatrix(
            rows: 1,
            columns: configuration.hidden * Self.keyStride(tokens: tokens) + attentionKeySlack)
        values = SharedMatrix(rows: tokens, columns: configuration.hidden)
        inner = SharedMatrix(rows: tokens, columns: configuration.inner)
        let longest = min(tokens, configuration.positions)
        scores = SharedMatrix(rows: WorkerPair.size, columns: attentionScratch(length: longest))
        panels =
            packed
            ? SharedMatrix(rows: WorkerPair.size, columns: Self.panels(tokens: tokens)) : nil
    }

    /// Bytes of all matrices for `tokens` tokens.
    static func bytes(tokens: Int, configuration: EncoderConfiguration, packed: Bool) -> Int {
        let hidden = configuration.hidden
        let longest = min(tokens, configuration.positions)
        let scores = WorkerPair.size * attentionScratch(length: longest)
        let panels =
            packed ? WorkerPair.size * Self.panels(tokens: tokens) : 0
        let floats =
            tokens * (3 * hidden + configuration.inner) + hidden * keyStride(tokens: tokens)
            + attentionKeySlack + scores + panels
        return floats * MemoryLayout<Float>.stride
    }

    /// Elements of a thread's panels.
    private static func panels(tokens: Int) -> Int {
        panelCount(rows: min(tokens, ForwardPass.rowsAtOnce))
    }

    /// Room for `tokens` in an odd number of cache lines, so that a head's 32 rows spread over all
    /// places of the first-level cache.
    static func keyStride(tokens: Int) -> Int { ((tokens + 15) / 16 | 1) * 16 }
}
