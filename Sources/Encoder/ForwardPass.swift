internal import Kernels
internal import System
internal import Tensors

/// One batch through the encoder, up to the last layer's output in `buffers.hidden`.
///
/// Each phase reads what the one before wrote, and is cut into chunks for a pair of threads.
/// Products, GELU and attention are cut by output columns, layer norms by rows. Heads are columns
/// too, so the queries, keys, values and attention of some heads are one chunk.
struct ForwardPass: Sendable {
    let configuration: EncoderConfiguration
    let weights: EncoderWeights
    let batch: PackedBatch
    let buffers: EncoderBuffers

    private var tokens: Int { batch.tokens }
    private var hidden: Int { configuration.hidden }
    private var layout: WeightLayout { weights.layout }

    func run(
        _ worker: inout Worker, observing observe: (Intermediate, Span<Float>) -> Void
    ) {
        embedPhase(&worker)
        observe(.embeddings, rows(buffers.hidden))
        for (index, layer) in weights.layers.enumerated() {
            attentionPhase(layer, &worker)
            observe(.attention(layer: index), rows(buffers.query))
            projectPhase(buffers.query, layer.attentionOutput.weight, &worker)
            normPhase(layer.attentionOutput.bias, layer.attentionNorm, &worker)
            observe(.attentionOutput(layer: index), rows(buffers.hidden))
            feedForwardPhase(layer.intermediate, &worker)
            observe(.intermediate(layer: index), rows(buffers.inner))
            projectPhase(buffers.inner, layer.output.weight, &worker)
            normPhase(layer.output.bias, layer.outputNorm, &worker)
            observe(.output(layer: index), rows(buffers.hidden))
        }
    }

    /// The rows of `matrix` that hold tokens of this batch.
    @_lifetime(borrow matrix)
    private func rows(_ matrix: SharedMatrix) -> Span<Float> {
        matrix.span.extracting(first: tokens * matrix.columns)
    }

    /// The same with its shape.
    @_lifetime(borrow matrix)
    private func view(_ matrix: SharedMatrix) -> MatrixView {
        matrix.view(rows: 0..<tokens, columns: 0..<matrix.columns)
    }

    /// Chunks of a phase that is cut by columns.
    ///
    /// With few rows `most`, so that no thread waits long for the other's last chunk. With many
    /// rows as few as there are threads, because each chunk packs all rows.
    private func columnChunks(_ most: Int, _ worker: Worker) -> Int {
        guard worker.isPaired else { return 1 }
        return tokens <= mostFewRows ? most : WorkerPair.size
    }

    /// Chunks of a phase that is cut by rows: eight rows are worth handing out.
    private var rowChunks: Int { max(1, min(8, tokens / 8)) }
}

// Each phase, and what a chunk of it does.
extension ForwardPass {
    /// hidden = norm(word + position + type 0), by rows.
    private func embedPhase(_ worker: inout Worker) {
        worker.phase(rowChunks) { index in
            let mine = chunk(index, of: rowChunks, in: tokens)
            for sequence in 0..<batch.sequences {
                let all = batch.range(of: sequence)
                let range = all.clamped(to: mine)
                if !range.isEmpty { embed(range, position: range.lowerBound - all.lowerBound) }
            }
        }
    }

    /// Embeds the tokens at `range`, of which the first is at `position` of its sequence.
    private func embed(_ range: Range<Int>, position: Int) {
        let words = weights.words.span
        var rows = unsafe buffers.hidden.mutableSpan(from: range.lowerBound * hidden)
        for (row, token) in range.enumerated() {
            let word = Int(batch.ids[token]) * hidden
            for j in 0..<hidden { rows[row * hidden + j] = words[word + j] }
        }
        addLayerNorm(
            MutableMatrixView(rows, rows: range.count, columns: hidden),
            adding: weights.positions.view.rows(position..<position + range.count),
            bias: weights.types.span,
            gain: weights.norm.gain.span, shift: weights.norm.shift.span,
            epsilon: configuration.epsilon)
    }

    /// query = attention, by heads.
    private func attentionPhase(_ layer: LayerWeights, _ worker: inout Worker) {
        // Heads are cut at whole units of the weights' columns.
        let unit = layout.headUnit(of: attentionHeadSize)
        let chunks = columnChunks(max(1, configuration.heads / unit), worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            attend(
                layer, heads: chunk(index, of: chunks, in: configuration.heads, unit: unit),
                thread: thread)
        }
    }

    /// Projects some heads' queries, keys and values, and replaces the queries by the context.
    private func attend(_ layer: LayerWeights, heads: Range<Int>, thread: Int) {
        let columns = heads.lowerBound * attentionHeadSize..<heads.upperBound * attentionHeadSize
        let keyStride = EncoderBuffers.keyStride(tokens: tokens)
        project(
            buffers.hidden, columns, thread,
            Projection(layer.query.weight, into: buffers.query),
            Projection(layer.value.weight, into: buffers.values),
            // Transposed, which is how scores want them.
            Projection(layer.key, transposedInto: buffers.keys, stride: keyStride))

        var scores = unsafe buffers.scores.mutableSpan(from: thread * buffers.scores.columns)
        for sequence in 0..<batch.sequences {
            let range = batch.range(of: sequence)
            attention(
                unsafe buffers.query.mutableView(rows: range, columns: columns),
                keys: buffers.keys.view(
                    from: columns.lowerBound * keyStride + range.lowerBound, rows: columns.count,
                    columns: range.count, stride: keyStride),
                values: buffers.values.view(rows: range, columns: columns),
                queryBias: layer.query.bias.span.extracting(columns),
                valueBias: layer.value.bias.span.extracting(columns),
                scratch: &scores)
        }
    }

    /// inner = gelu(hidden · weightᵀ + bias), by columns.
    private func feedForwardPhase(_ linear: LinearWeights, _ worker: inout Worker) {
        let chunks = columnChunks(8, worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            let columns = chunk(
                index, of: chunks, in: configuration.inner, unit: layout.columnUnit)
            project(
                buffers.hidden, columns, thread, Projection(linear.weight, into: buffers.inner))
            gelu(
                unsafe buffers.inner.mutableView(rows: 0..<tokens, columns: columns),
                adding: linear.bias.span.extracting(columns))
        }
    }

    /// values = input · weightᵀ, by columns.
    private func projectPhase(_ input: SharedMatrix, _ weight: Weight, _ worker: inout Worker) {
        let chunks = columnChunks(4, worker)
        let thread = worker.index
        worker.phase(chunks) { index in
            let columns = chunk(index, of: chunks, in: hidden, unit: layout.columnUnit)
            project(input, columns, thread, Projection(weight, into: buffers.values))
        }
    }

    /// output = input · weightᵀ, these columns of it, for every one of `projections`.
    private func project(
        _ input: SharedMatrix, _ columns: Range<Int>, _ thread: Int, _ projections: Projection...
    ) {
        var scratch = unsafe buffers.scratch(of: thread)
        layout.project(view(input), columns: columns, projections, scratch: &scratch)
    }

    /// hidden = norm(hidden + values + bias), by rows.
    private func normPhase(_ bias: Tensor, _ norm: LayerNormWeights, _ worker: inout Worker) {
        worker.phase(rowChunks) { index in
            let mine = chunk(index, of: rowChunks, in: tokens)
            addLayerNorm(
                unsafe buffers.hidden.mutableView(rows: mine, columns: 0..<hidden),
                adding: buffers.values.view(rows: mine, columns: 0..<hidden),
                bias: bias.span, gain: norm.gain.span, shift: norm.shift.span,
                epsilon: configuration.epsilon)
        }
    }
}
