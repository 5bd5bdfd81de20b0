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
        _ worker: inout Worker, observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        embed(&worker)
        observe(.embeddings, rows(buffers.hidden))
        for (index, layer) in weights.layers.enumerated() {
            attend(layer, &worker)
            observe(.attention(layer: index), rows(buffers.query))
            project(buffers.query, layer.attentionOutput.weight, &worker)
            addNorm(layer.attentionOutput.bias, layer.attentionNorm, &worker)
            observe(.attentionOutput(layer: index), rows(buffers.hidden))
            widen(layer.intermediate, &worker)
            observe(.intermediate(layer: index), rows(buffers.inner))
            project(buffers.inner, layer.output.weight, &worker)
            addNorm(layer.output.bias, layer.outputNorm, &worker)
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
    private func columnChunks(_ most: Int, _ worker: Worker) -> Int {
        guard worker.isPaired else { return 1 }
        return tokens <= mostFewRows ? most : WorkerPair.size
    }

    /// Pieces of a stage that is cut by rows: eight rows take about 2 µs, as long as a piece costs to hand out.
    private var rowChunks: Int { max(1, min(8, tokens / 8)) }

    /// hidden = norm(word + position + type 0), by rows.
    private func embed(_ worker: inout Worker) {
        worker.phase(rowChunks) { index in
            let mine = chunk(index, of: rowChunks, in: tokens)
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
    private func attend(_ layer: LayerWeights, _ worker: inout Worker) {
        let chunks = columnChunks(max(1, configuration.heads / headUnit), worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            attend(
                layer, heads: chunk(index, of: chunks, in: configuration.heads, unit: headUnit),
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
    private func widen(_ linear: LinearWeights, _ worker: inout Worker) {
        let chunks = columnChunks(8, worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            let columns = chunk(index, of: chunks, in: configuration.inner, unit: columnUnit)
            project(buffers.hidden, columns, thread, Projection(linear.weight, buffers.inner))
            var inner = unsafe buffers.inner.mutableSpan(from: columns.lowerBound)
            gelu(
                &inner, adding: linear.bias.span.extracting(droppingFirst: columns.lowerBound),
                rows: tokens, columns: columns.count, stride: configuration.inner)
        }
    }

    /// values = input · weightᵀ, by columns.
    private func project(_ input: SharedMatrix, _ weight: Tensor, _ worker: inout Worker) {
        let chunks = columnChunks(4, worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            let columns = chunk(index, of: chunks, in: configuration.hidden, unit: columnUnit)
            project(input, columns, thread, Projection(weight, buffers.values))
        }
    }

    /// hidden = norm(hidden + values + bias), by rows.
    private func addNorm(_ bias: Tensor, _ norm: LayerNormWeights, _ worker: inout Worker) {
        worker.phase(rowChunks) { index in
            let mine = chunk(index, of: rowChunks, in: tokens)
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
