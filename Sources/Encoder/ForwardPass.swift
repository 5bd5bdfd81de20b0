internal import Kernels
internal import Tensors
internal import System

/// One batch through the encoder, up to the last layer's output in `buffers.hidden`.
///
/// Each stage reads what the one before wrote, and is cut into pieces for a team of threads: products, GELU
/// and attention by output columns (heads are columns too, so queries, keys, values and attention of a head
/// are one piece), layer norms by rows.
struct ForwardPass: Sendable {
    let configuration: EncoderConfiguration
    let weights: EncoderWeights
    let batch: PackedBatch
    let buffers: EncoderBuffers

    var tokens: Int { batch.tokens }

    func run(
        _ share: inout Share, observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        embed(&share)
        observe(.embeddings, rows(buffers.hidden))
        for (index, layer) in weights.layers.enumerated() {
            attend(layer, &share)
            observe(.attention(layer: index), rows(buffers.query))
            project(buffers.query, layer.attentionOutput.weight, &share)
            addNorm(layer.attentionOutput.bias, layer.attentionNorm, &share)
            observe(.attentionOutput(layer: index), rows(buffers.hidden))
            widen(layer.intermediate, &share)
            observe(.intermediate(layer: index), rows(buffers.inner))
            project(buffers.inner, layer.output.weight, &share)
            addNorm(layer.output.bias, layer.outputNorm, &share)
            observe(.output(layer: index), rows(buffers.hidden))
        }
    }

    /// The rows of `matrix` that hold tokens of this batch.
    @_lifetime(borrow matrix)
    func rows(_ matrix: SharedMatrix) -> Span<Float> {
        matrix.span.extracting(first: tokens * matrix.columns)
    }

    /// Pieces of a stage that is cut by columns: `most`, so that nobody waits long for the other's last, but as
    /// few as there are threads where rows are many, which are packed anew for every piece.
    private func columnPieces(_ most: Int, _ share: Share) -> Int {
        guard share.isShared else { return 1 }
        return tokens <= mostFewRows ? most : ComputeTeam.size
    }

    /// Pieces of a stage that is cut by rows: eight rows take about 2 µs, as long as a piece costs to hand out.
    private var rowPieces: Int { max(1, min(8, tokens / 8)) }

    /// hidden = norm(word + position + type 0), by rows.
    private func embed(_ share: inout Share) {
        share.stage(rowPieces) { piece in
            let mine = part(piece, of: rowPieces, tokens)
            for sequence in 0..<batch.sequences {
                let all = batch.range(of: sequence)
                let range = all.clamped(to: mine)
                if !range.isEmpty { embed(range, position: range.lowerBound - all.lowerBound) }
            }
        }
    }

    /// The tokens at `range`, of which the first is at `position` of its sequence.
    private func embed(_ range: Range<Int>, position: Int) {
        let hidden = configuration.hidden
        let words = weights.words.span
        var rows = unsafe buffers.hidden.mutableSpan(from: range.lowerBound * hidden)
        for (row, token) in range.enumerated() {
            let word = Int(batch.ids[token]) * hidden
            for j in 0..<hidden { rows[row * hidden + j] = words[word + j] }
        }
        addLayerNorm(
            &rows,
            adding: weights.positions.span.extracting(droppingFirst: position * hidden),
            bias: weights.types.span,
            gain: weights.norm.gain.span, shift: weights.norm.shift.span,
            epsilon: configuration.epsilon, rows: range.count, columns: hidden)
    }

    /// query = attention, by heads.
    private func attend(_ layer: LayerWeights, _ share: inout Share) {
        let pieces = columnPieces(max(1, configuration.heads / headUnit), share)
        let thread = share.index
        share.stage(pieces) { piece in
            attend(
                layer, heads: part(piece, of: pieces, configuration.heads, in: headUnit),
                thread: thread)
        }
    }

    private func attend(_ layer: LayerWeights, heads: Range<Int>, thread: Int) {
        let hidden = configuration.hidden
        let columns = heads.lowerBound * attentionHeadSize..<heads.upperBound * attentionHeadSize
        project(
            buffers.hidden, columns, thread,
            Projection(layer.query.weight, buffers.query),
            Projection(layer.value.weight, buffers.values),
            // Transposed, which is how scores want them.
            Projection(layer.key, buffers.keys, .columns))

        let keyStride = EncoderBuffers.keyStride(tokens: tokens)
        var scores = unsafe buffers.scores.mutableSpan(from: thread * buffers.scores.columns)
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

    /// inner = gelu(hidden · weightᵀ + bias), by columns.
    private func widen(_ linear: LinearWeights, _ share: inout Share) {
        let pieces = columnPieces(8, share)
        let thread = share.index
        share.stage(pieces) { piece in
            let columns = part(piece, of: pieces, configuration.inner, in: columnUnit)
            project(buffers.hidden, columns, thread, Projection(linear.weight, buffers.inner))
            var inner = unsafe buffers.inner.mutableSpan(from: columns.lowerBound)
            gelu(
                &inner, adding: linear.bias.span.extracting(droppingFirst: columns.lowerBound),
                rows: tokens, columns: columns.count, stride: configuration.inner)
        }
    }

    /// values = input · weightᵀ, by columns.
    private func project(_ input: SharedMatrix, _ weight: Tensor, _ share: inout Share) {
        let pieces = columnPieces(4, share)
        let thread = share.index
        share.stage(pieces) { piece in
            let columns = part(piece, of: pieces, configuration.hidden, in: columnUnit)
            project(input, columns, thread, Projection(weight, buffers.values))
        }
    }

    /// hidden = norm(hidden + values + bias), by rows.
    private func addNorm(_ bias: Tensor, _ norm: LayerNormWeights, _ share: inout Share) {
        share.stage(rowPieces) { piece in
            let mine = part(piece, of: rowPieces, tokens)
            let start = mine.lowerBound * configuration.hidden
            var hidden = unsafe buffers.hidden.mutableSpan(from: start)
            addLayerNorm(
                &hidden, adding: buffers.values.span.extracting(droppingFirst: start),
                bias: bias.span, gain: norm.gain.span, shift: norm.shift.span,
                epsilon: configuration.epsilon, rows: mine.count, columns: configuration.hidden)
        }
    }
}

/// Where columns are cut: whole cache lines of a row, and whole sixes of packed weights.
private let columnUnit = 48

/// Where heads are cut: whole sixes again.
private let headUnit = 3
