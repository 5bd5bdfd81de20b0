public import Kernels

/// all-MiniLM-L6-v2: token ids to unit vectors.
///
/// BERT with layer norm after each block (arXiv 1810.04805), the mean over all tokens, scaled to length 1.
public final class SentenceEncoder: Sendable {
    /// The sizes the weights were checked against.
    public let configuration: EncoderConfiguration

    private let weights: EncoderWeights

    /// Takes the weights by name and shape from `tensor`.
    public init(
        configuration: EncoderConfiguration,
        tensor: (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor
    ) throws(EncoderError) {
        self.configuration = configuration
        weights = try EncoderWeights(configuration, tensor: tensor)
    }

    /// Storage for batches of up to `tokens` tokens, for one thread at a time.
    public func makeWorkspace(tokens: Int) -> EncoderWorkspace {
        EncoderWorkspace(tokens: tokens, configuration)
    }

    /// Encodes `batch` into `output`: [sequences, hidden], each row of length 1.
    ///
    /// - Parameters:
    ///   - batch: ids below `vocabulary`, sequences of 1 to `positions` tokens.
    ///   - workspace: storage for at least the batch's tokens.
    ///   - output: at least sequences · hidden elements.
    ///   - observe: called with each named intermediate, [tokens, columns]; for tests.
    public func encode(
        _ batch: PackedBatch,
        workspace: inout EncoderWorkspace,
        into output: inout MutableSpan<Float>,
        observe: ((_ name: String, _ values: Span<Float>) -> Void)? = nil
    ) {
        workspace.use(tokens: batch.tokens)
        embed(batch, workspace: &workspace)
        observe?("embeddings", workspace.input.span)
        for (index, layer) in weights.layers.enumerated() {
            let name = "encoder.layer.\(index)"
            attend(layer, batch.offsets, workspace: &workspace)
            observe?("\(name).attention.self", workspace.context.span)
            observe?("\(name).attention.output", workspace.attended.span)
            feedForward(layer, workspace: &workspace)
            observe?("\(name).intermediate", workspace.intermediate.span)
            observe?("\(name).output", workspace.input.span)
        }
        poolMeanNormalized(
            workspace.input.span, columns: configuration.hidden, offsets: batch.offsets.span,
            into: &output)
    }

    /// input = layer norm of word + position + type embeddings.
    private func embed(_ batch: PackedBatch, workspace: inout EncoderWorkspace) {
        for sequence in 0..<batch.sequences {
            let rows = batch.offsets[sequence]..<batch.offsets[sequence + 1]
            precondition(
                rows.count <= configuration.positions, "a sequence of \(rows.count) tokens")
            for row in rows {
                copy(weights.words, Int(batch.ids[row]), to: row, of: &workspace.input)
                copy(weights.positions, row - rows.lowerBound, to: row, of: &workspace.query)
            }
        }
        let types = weights.types
        normalize(
            &workspace.input, bias: types.span.extracting(0..<configuration.hidden),
            residual: workspace.query, norm: weights.embeddingNorm)
    }

    /// attended = layer norm of (attention of input, projected) + input.
    private func attend(
        _ layer: LayerWeights, _ offsets: [Int], workspace: inout EncoderWorkspace
    ) {
        project(workspace.input, by: layer.query, into: &workspace.query)
        project(workspace.input, by: layer.key, into: &workspace.key)
        project(workspace.input, by: layer.value, into: &workspace.value)
        attention(
            workspace.query, workspace.key, workspace.value, layer, offsets,
            scratch: &workspace.scratch, into: &workspace.context)
        project(workspace.context, by: layer.attentionOutput, into: &workspace.attended)
        normalize(
            &workspace.attended, bias: layer.attentionOutput.bias.span, residual: workspace.input,
            norm: layer.attentionNorm)
    }

    /// input = layer norm of (attended through the two dense layers) + attended.
    private func feedForward(_ layer: LayerWeights, workspace: inout EncoderWorkspace) {
        project(workspace.attended, by: layer.intermediate, into: &workspace.intermediate)
        activate(&workspace.intermediate, bias: layer.intermediate.bias.span)
        project(workspace.intermediate, by: layer.output, into: &workspace.input)
        normalize(
            &workspace.input, bias: layer.output.bias.span, residual: workspace.attended,
            norm: layer.outputNorm)
    }

    /// output[tokens, out] = x[tokens, in] · weightᵀ; the kernel that comes next adds the bias.
    private func project(_ x: borrowing Matrix, by dense: Dense, into output: inout Matrix) {
        let rows = x.rows
        let columns = x.columns
        let outputColumns = output.columns
        var target = output.mutableSpan
        multiply(
            x.span, .none, dense.weight.span, .transposed, m: rows, n: outputColumns, k: columns,
            into: &target)
    }

    private func attention(
        _ query: borrowing Matrix, _ key: borrowing Matrix, _ value: borrowing Matrix,
        _ layer: LayerWeights, _ offsets: [Int], scratch: inout Matrix, into context: inout Matrix
    ) {
        let biases = AttentionBiases(
            query: layer.query.bias, key: layer.key.bias, value: layer.value.bias)
        var scratch = scratch.mutableSpan
        var target = context.mutableSpan
        Kernels.attend(
            queries: query.span, keys: key.span, values: value.span, biases: biases,
            heads: configuration.heads, offsets: offsets.span, scratch: &scratch, into: &target)
    }

    private func activate(_ x: inout Matrix, bias: Span<Float>) {
        var x = x.mutableSpan
        addBiasApplyGELU(&x, bias: bias)
    }

    private func normalize(
        _ x: inout Matrix, bias: Span<Float>, residual: borrowing Matrix, norm: Norm
    ) {
        var x = x.mutableSpan
        addResidualApplyLayerNorm(
            &x, bias: bias, residual: residual.span, gain: norm.gain.span, shift: norm.shift.span,
            epsilon: configuration.epsilon)
    }

    /// Copies row `index` of `table` to row `row` of `output`.
    private func copy(_ table: Tensor, _ index: Int, to row: Int, of output: inout Matrix) {
        let columns = output.columns
        let source = table.span.extracting(index * columns..<(index + 1) * columns)
        var target = output.mutableSpan
        for c in source.indices { target[row * columns + c] = source[c] }
    }
}
