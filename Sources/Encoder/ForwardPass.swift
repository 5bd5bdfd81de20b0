internal import Kernels
internal import Threads

/// One batch through the encoder, up to the last layer's output in `buffers.hidden`.
///
/// Written for one thread of a team: each takes its share of every stage and meets the others where a
/// stage reads what they wrote. Products, GELU and attention are split by output columns (heads are
/// columns too, so queries, keys, values and attention need no meeting between them), layer norms by
/// rows. A thread alone has the whole as its share and nobody to meet.
struct ForwardPass: Sendable {
    let configuration: EncoderConfiguration
    let weights: EncoderWeights
    let batch: PackedBatch
    let buffers: EncoderBuffers

    private var tokens: Int { batch.tokens }

    func run(
        _ share: Share, observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        embed(share)
        share.meet()
        observe(.embeddings, rows(buffers.hidden))
        for (index, layer) in weights.layers.enumerated() {
            attend(layer, share)
            share.meet()
            observe(.attention(layer: index), rows(buffers.query))
            project(buffers.query, layer.attentionOutput.weight, into: buffers.values, share)
            share.meet()
            addNorm(layer.attentionOutput.bias, layer.attentionNorm, share)
            share.meet()
            observe(.attentionOutput(layer: index), rows(buffers.hidden))
            widen(layer.intermediate, share)
            share.meet()
            observe(.intermediate(layer: index), rows(buffers.inner))
            project(buffers.inner, layer.output.weight, into: buffers.values, share)
            share.meet()
            addNorm(layer.output.bias, layer.outputNorm, share)
            share.meet()
            observe(.output(layer: index), rows(buffers.hidden))
        }
    }

    /// The rows of `matrix` that hold tokens of this batch.
    @_lifetime(borrow matrix)
    private func rows(_ matrix: SharedMatrix) -> Span<Float> {
        matrix.span.extracting(first: tokens * matrix.columns)
    }

    /// hidden = norm(word + position + type 0), for the share's rows.
    private func embed(_ share: Share) {
        let hidden = configuration.hidden
        let mine = share.part(of: tokens)
        let words = weights.words.span
        for sequence in 0..<batch.sequences {
            let all = batch.range(of: sequence)
            let range = all.clamped(to: mine)
            guard !range.isEmpty else { continue }
            var rows = unsafe buffers.hidden.mutableSpan(from: range.lowerBound * hidden)
            for (row, token) in range.enumerated() {
                let word = Int(batch.ids[token]) * hidden
                for j in 0..<hidden { rows[row * hidden + j] = words[word + j] }
            }
            let first = (range.lowerBound - all.lowerBound) * hidden
            addLayerNorm(
                &rows,
                adding: weights.positions.span.extracting(droppingFirst: first),
                bias: weights.types.span,
                gain: weights.norm.gain.span, shift: weights.norm.shift.span,
                epsilon: configuration.epsilon, rows: range.count, columns: hidden)
        }
    }

    /// query = attention over the share's heads.
    private func attend(_ layer: LayerWeights, _ share: Share) {
        let hidden = configuration.hidden
        let heads = share.part(of: configuration.heads)
        let columns = heads.lowerBound * attentionHeadSize..<heads.upperBound * attentionHeadSize
        project(buffers.hidden, layer.query.weight, into: buffers.query, columns)
        project(buffers.hidden, layer.value.weight, into: buffers.values, columns)
        // Operands exchanged: the keys come out transposed, which is how scores want them.
        let keyStride = EncoderBuffers.keyStride(tokens: tokens)
        var keys = unsafe buffers.keys.mutableSpan(from: columns.lowerBound * keyStride)
        multiply(
            layer.key.span.extracting(columns, of: hidden), .none,
            rows(buffers.hidden), .transposed,
            m: columns.count, n: tokens, k: hidden, strideOutput: keyStride, into: &keys)

        var scores = unsafe buffers.scores.mutableSpan(from: share.index * buffers.scores.columns)
        for sequence in 0..<batch.sequences {
            let range = batch.range(of: sequence)
            let start = range.lowerBound * hidden + columns.lowerBound
            var query = unsafe buffers.query.mutableSpan(from: start)
            Kernels.attend(
                &query,
                keys: buffers.keys.span.extracting(
                    droppingFirst: columns.lowerBound * keyStride + range.lowerBound),
                values: buffers.values.span.extracting(droppingFirst: start),
                queryBias: layer.query.bias.span.extracting(droppingFirst: columns.lowerBound),
                valueBias: layer.value.bias.span.extracting(droppingFirst: columns.lowerBound),
                heads: heads.count, length: range.count, stride: hidden, keyStride: keyStride,
                scratch: &scores)
        }
    }

    /// inner = gelu(hidden · weightᵀ + bias), the share's columns.
    private func widen(_ linear: LinearWeights, _ share: Share) {
        let columns = share.part(of: configuration.inner, in: 16)
        project(buffers.hidden, linear.weight, into: buffers.inner, columns)
        var inner = unsafe buffers.inner.mutableSpan(from: columns.lowerBound)
        gelu(
            &inner, adding: linear.bias.span.extracting(droppingFirst: columns.lowerBound),
            rows: tokens, columns: columns.count, stride: configuration.inner)
    }

    /// output = input · weightᵀ, the share's columns.
    private func project(
        _ input: SharedMatrix, _ weight: Tensor, into output: SharedMatrix, _ share: Share
    ) {
        project(input, weight, into: output, share.part(of: output.columns, in: 16))
    }

    private func project(
        _ input: SharedMatrix, _ weight: Tensor, into output: SharedMatrix,
        _ columns: Range<Int>
    ) {
        var span = unsafe output.mutableSpan(from: columns.lowerBound)
        multiply(
            rows(input), .none, weight.span.extracting(columns, of: input.columns), .transposed,
            m: tokens, n: columns.count, k: input.columns, strideOutput: output.columns,
            into: &span)
    }

    /// hidden = norm(hidden + values + bias), the share's rows.
    private func addNorm(_ bias: Tensor, _ norm: LayerNormWeights, _ share: Share) {
        let mine = share.part(of: tokens)
        let start = mine.lowerBound * configuration.hidden
        var hidden = unsafe buffers.hidden.mutableSpan(from: start)
        addLayerNorm(
            &hidden, adding: buffers.values.span.extracting(droppingFirst: start),
            bias: bias.span, gain: norm.gain.span, shift: norm.shift.span,
            epsilon: configuration.epsilon, rows: mine.count, columns: configuration.hidden)
    }
}

extension Span {
    /// Rows `rows` of a dense matrix with `columns` columns.
    @_lifetime(copy self)
    fileprivate func extracting(_ rows: Range<Int>, of columns: Int) -> Span {
        extracting(rows.lowerBound * columns..<rows.upperBound * columns)
    }
}
