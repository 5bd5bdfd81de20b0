internal import Kernels
public import Tensors
package import System

/// all-MiniLM-L6-v2 and its like: word piece ids to sentence embeddings.
///
/// Immutable, so any number of threads may encode at once, each with a workspace of its own.
public struct SentenceEncoder: Sendable {
    /// The model's sizes.
    public let configuration: EncoderConfiguration

    private let weights: EncoderWeights

    /// The encoder with the weights that `tensor` gives for each name in the checkpoint.
    ///
    /// - Parameters:
    ///   - layout: how the weights of linear maps lie; `tensor` is asked for their shapes in it.
    ///   - tensor: the weight of that name in the shape asked for.
    /// - Throws: `EncoderError` if `tensor` throws or gives another shape than it is asked for, or
    ///   if a linear map's weight cannot lie so.
    public init(
        configuration: EncoderConfiguration, layout: WeightLayout = .plain,
        tensor: @escaping (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor
    ) throws(EncoderError) {
        self.configuration = configuration
        weights = try EncoderWeights(configuration, WeightSource(layout, tensor))
    }

    /// How the weights of linear maps lie.
    public var layout: WeightLayout { weights.layout }

    /// Gain and shift of the last layer norm, whose mean over a text's tokens is its embedding;
    /// [hidden] each.
    public var lastNorm: (gain: Tensor, shift: Tensor) {
        let norm = weights.layers.last?.outputNorm ?? weights.norm
        return (norm.gain, norm.shift)
    }

    /// Storage for batches of up to `tokens` tokens, which `encode` uses again for each.
    ///
    /// About 12.5 KB for each token (384 hidden and 1,536 inner features), and 0.4 MB for packed
    /// weights.
    public func makeWorkspace(tokens: Int) -> EncoderWorkspace {
        EncoderWorkspace(tokens: tokens, configuration: configuration, layout: layout)
    }

    /// Bytes of a workspace for `tokens` tokens once all of it is used.
    public func workspaceBytes(tokens: Int) -> Int {
        EncoderBuffers.bytes(tokens: tokens, configuration: configuration, layout: layout)
    }

    /// The embedding of each sequence of `batch`.
    ///
    /// It is the mean of the sequence's tokens, scaled to length 1, unless `configuration` differs.
    ///
    /// - Parameters:
    ///   - batch: no more tokens than the workspace has room for, ids within the vocabulary, no
    ///     sequence longer than `configuration.positions`.
    ///   - workers: a pair of threads to share each phase, which pays for a batch that is alone.
    ///     The call runs on this thread only while another call has the pair.
    ///   - embeddings: [sequences, hidden].
    package func encode(
        _ batch: PackedBatch, workspace: inout EncoderWorkspace, workers: WorkerPair? = nil,
        into embeddings: inout MutableSpan<Float>
    ) {
        let pass = forwardPass(batch, &workspace)
        let isShared = workers?.run { worker in pass.run(&worker) { _, _ in } } ?? false
        if !isShared { run(pass) { _, _ in } }
        pool(batch, workspace.buffers, into: &embeddings) { _, _ in }
    }

    /// The same on this thread, showing each result on the way.
    package func encode(
        _ batch: PackedBatch, workspace: inout EncoderWorkspace,
        into embeddings: inout MutableSpan<Float>,
        observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        run(forwardPass(batch, &workspace), observing: observe)
        pool(batch, workspace.buffers, into: &embeddings, observing: observe)
    }

    private func run(
        _ pass: ForwardPass, observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        var alone = Worker.alone
        pass.run(&alone, observing: observe)
    }

    private func forwardPass(
        _ batch: PackedBatch, _ workspace: inout EncoderWorkspace
    ) -> ForwardPass {
        precondition(
            batch.tokens <= workspace.tokens,
            "\(batch.tokens) tokens in a workspace for \(workspace.tokens)")
        precondition(
            workspace.buffers.layout == layout, "the workspace of another encoder")
        for id in batch.ids {
            precondition(
                0..<configuration.vocabulary ~= Int(id),
                "id \(id) in a vocabulary of \(configuration.vocabulary)")
        }
        for sequence in 0..<batch.sequences {
            let length = batch.range(of: sequence).count
            precondition(
                length <= configuration.positions,
                "sequence of \(length), the model has \(configuration.positions) positions")
        }
        return ForwardPass(
            configuration: configuration, weights: weights, batch: batch,
            buffers: workspace.buffers)
    }

    /// embeddings[sequences, hidden] = the mean of each sequence's rows, or the first, scaled to
    /// length 1.
    private func pool(
        _ batch: PackedBatch, _ buffers: EncoderBuffers, into embeddings: inout MutableSpan<Float>,
        observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        let hidden = configuration.hidden
        precondition(
            embeddings.count >= batch.sequences * hidden,
            "\(embeddings.count) floats for [\(batch.sequences), \(hidden)]")
        for sequence in 0..<batch.sequences {
            let rows = batch.range(of: sequence)
            var mean = embeddings._mutatingExtracting(sequence * hidden..<(sequence + 1) * hidden)
            meanRow(
                of: buffers.hidden.view(
                    rows: configuration.pooling == .mean ? rows : rows.prefix(1),
                    columns: 0..<hidden),
                into: &mean)
        }
        observe(.pooled, embeddings.span)
        if configuration.isNormalized {
            scaleRowsToLengthOne(
                MutableMatrixView(&embeddings, rows: batch.sequences, columns: hidden))
        }
        observe(.embedding, embeddings.span)
    }
}
