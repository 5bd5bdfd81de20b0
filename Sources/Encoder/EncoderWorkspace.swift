internal import Kernels
internal import System
internal import Tensors

/// What one forward pass needs beside the weights: made once, used again by one pass at a time.
public struct EncoderWorkspace: ~Copyable, Sendable {
    /// The most tokens that a batch may hold.
    public let tokens: Int

    let buffers: EncoderBuffers

    init(tokens: Int, configuration: EncoderConfiguration, layout: WeightLayout) {
        precondition(tokens > 0, "a workspace for \(tokens) tokens")
        self.tokens = tokens
        buffers = EncoderBuffers(
            BufferShapes(tokens: tokens, configuration: configuration, layout: layout))
    }
}

/// The workspace's matrices, which both threads of a pair use.
struct EncoderBuffers: Sendable {
    /// [tokens, hidden]: what goes from layer to layer.
    let hidden: SharedMatrix
    /// [tokens, hidden]: queries; attention replaces them by the context.
    let query: SharedMatrix
    /// Transposed keys: rows of `EncoderBuffers.keyStride(tokens:)`, one for each feature.
    let keys: SharedMatrix
    /// [tokens, hidden]: values, then the product that a layer norm adds to `hidden`.
    let values: SharedMatrix
    /// [tokens, inner]: inside the feed-forward part.
    let inner: SharedMatrix
    /// A row of scores for each thread.
    let scores: SharedMatrix
    /// A row for each thread, for products in `layout`; nil if those need none.
    private let scratch: SharedMatrix?
    /// The layout of weights that the scratch is for.
    let layout: WeightLayout

    fileprivate init(_ shapes: BufferShapes) {
        hidden = SharedMatrix(shapes.hidden)
        query = SharedMatrix(shapes.query)
        keys = SharedMatrix(shapes.keys)
        values = SharedMatrix(shapes.values)
        inner = SharedMatrix(shapes.inner)
        scores = SharedMatrix(shapes.scores)
        scratch = shapes.scratch.columns > 0 ? SharedMatrix(shapes.scratch) : nil
        layout = shapes.layout
    }

    /// Bytes of all matrices for `tokens` tokens.
    static func bytes(tokens: Int, configuration: EncoderConfiguration, layout: WeightLayout) -> Int
    {
        BufferShapes(tokens: tokens, configuration: configuration, layout: layout).bytes
    }

    /// The scratch of thread `index`.
    ///
    /// Unsafe: only that thread may use it.
    @unsafe
    @_lifetime(borrow self)
    func scratch(of index: Int) -> MutableSpan<Float> {
        guard let scratch else { return unsafe _overrideLifetime(MutableSpan(), borrowing: self) }
        let row = unsafe scratch.mutableSpan(from: index * scratch.columns)
        return unsafe _overrideLifetime(
            row._consumingExtracting(first: scratch.columns), borrowing: self)
    }

    /// Room for `tokens` in an odd number of cache lines, so that a head's 32 rows spread over all
    /// places of the first-level cache.
    static func keyStride(tokens: Int) -> Int { ((tokens + 15) / 16 | 1) * 16 }
}

/// The shapes of the workspace's matrices.
private struct BufferShapes {
    typealias Shape = (rows: Int, columns: Int)

    let hidden, query, keys, values, inner, scores, scratch: Shape
    let layout: WeightLayout

    init(tokens: Int, configuration: EncoderConfiguration, layout: WeightLayout) {
        self.layout = layout
        hidden = (tokens, configuration.hidden)
        query = hidden
        values = hidden
        inner = (tokens, configuration.inner)
        let keyStride = EncoderBuffers.keyStride(tokens: tokens)
        keys = (1, configuration.hidden * keyStride + attentionKeySlack)
        let longest = min(tokens, configuration.positions)
        scores = (WorkerPair.size, attentionScratch(length: longest))
        scratch = (WorkerPair.size, layout.scratch(rows: tokens))
    }

    var bytes: Int {
        [hidden, query, keys, values, inner, scores, scratch].reduce(0) {
            $0 + $1.rows * $1.columns * MemoryLayout<Float>.stride
        }
    }
}

extension SharedMatrix {
    fileprivate convenience init(_ shape: BufferShapes.Shape) {
        self.init(rows: shape.rows, columns: shape.columns)
    }
}
