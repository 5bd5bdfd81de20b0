internal import Kernels
internal import Tensors

/// The embeddings that a run trains on.
struct TrainingRows: Sendable {
    /// Clean embeddings of distinct lines: [distinct, width].
    let embeddings: [Float]
    /// The row in `embeddings` of every training line, repetitions included.
    let lines: [Int32]
    /// Elements of an embedding.
    let width: Int
    /// The one draw of `fixed` noise: noisy embeddings of every line, [lines, width].
    private(set) var noisy: SharedMatrix?

    init(embeddings: [Float], lines: [Int32], width: Int = embeddingWidth) {
        self.embeddings = embeddings
        self.lines = lines
        self.width = width
    }

    /// These elements of `line`'s clean embedding.
    @_lifetime(borrow self)
    func clean(_ line: Int, _ elements: Range<Int>) -> Span<Float> {
        embeddings.span.extracting(place(Int(lines[line]), elements))
    }

    /// The place of these elements of a row among those of all rows.
    private func place(_ row: Int, _ elements: Range<Int>) -> Range<Int> {
        let start = row * width
        return start + elements.lowerBound..<start + elements.upperBound
    }

    /// Draws the noise of the whole run.
    mutating func fixNoise(_ noise: inout GaussianNoise, deviation: Float) {
        let drawn = SharedMatrix(rows: lines.count, columns: width)
        var rows = unsafe drawn.mutableSpan()
        for line in lines.indices {
            var row = rows._mutatingExtracting(line * width..<(line + 1) * width)
            noise.add(to: clean(line, 0..<width), deviation: deviation, into: &row)
        }
        noisy = drawn
    }

    /// Asks for what `write` will read of a line.
    ///
    /// Lines come in random order, so the processor cannot foresee the next.
    func prefetch(_ line: Int, _ elements: Range<Int>) {
        Kernels.prefetch(clean(line, elements))
        if let noisy { Kernels.prefetch(noisy.span.extracting(place(line, elements))) }
    }

    /// Writes these elements of `line`'s clean embedding, and the same elements with noise.
    ///
    /// - Parameters:
    ///   - elements: from a multiple of 64 on.
    ///   - noise: a stream that begins with the line; unused if the run drew its noise once.
    ///   - row: the row of `clean` and `noisy`, both [rows, elements.count].
    func write(
        _ line: Int, _ elements: Range<Int>, _ noise: GaussianNoise, deviation: Float, row: Int,
        clean: inout MutableSpan<Float>, noisy: inout MutableSpan<Float>
    ) {
        let place = row * elements.count..<(row + 1) * elements.count
        let embedding = self.clean(line, elements)
        var cleanRow = clean._mutatingExtracting(place)
        copy(embedding, into: &cleanRow)
        var noisyRow = noisy._mutatingExtracting(place)
        if let drawn = self.noisy {
            copy(drawn.span.extracting(self.place(line, elements)), into: &noisyRow)
        } else {
            var noise = noise.dropping(elements.lowerBound)
            noise.add(to: embedding, deviation: deviation, into: &noisyRow)
        }
    }
}
