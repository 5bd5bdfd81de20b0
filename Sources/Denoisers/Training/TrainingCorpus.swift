internal import Kernels
internal import Tensors

/// The embeddings that a run trains on.
struct TrainingCorpus: Sendable {
    /// Clean embeddings of distinct lines: [distinct, 384].
    let embeddings: [Float]
    /// The row in `embeddings` of every training line, repetitions included.
    let lines: [Int32]
    /// The one draw of `fixed` noise: noisy embeddings of every line, [lines, 384].
    private(set) var noisy: SharedMatrix?

    /// These elements of `line`'s clean embedding.
    @_lifetime(borrow self)
    func clean(_ line: Int, _ elements: Range<Int>) -> Span<Float> {
        embeddings.span.extracting(Self.place(Int(lines[line]), elements))
    }

    /// Where these elements of a row stand among all rows.
    private static func place(_ row: Int, _ elements: Range<Int>) -> Range<Int> {
        let start = row * AutoencoderShape.width
        return start + elements.lowerBound..<start + elements.upperBound
    }

    /// Draws the noise of the whole run.
    mutating func fixNoise(_ noise: inout GaussianNoise, deviation: Float) {
        let width = AutoencoderShape.width
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
    /// Lines come in random order, so the processor cannot foresee the next: a training step takes 0.97 of the time.
    func prefetch(_ line: Int, _ elements: Range<Int>) {
        Kernels.prefetch(clean(line, elements))
        if let noisy { Kernels.prefetch(noisy.span.extracting(Self.place(line, elements))) }
    }

    /// Writes these elements of `line`'s clean embedding, and the same with noise: the run's draw, or anew from
    /// `noise`, which begins with the line.
    ///
    /// - Parameters:
    ///   - elements: from a multiple of 64 on.
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
            copy(drawn.span.extracting(Self.place(line, elements)), into: &noisyRow)
        } else {
            var noise = noise.dropping(elements.lowerBound)
            noise.add(to: embedding, deviation: deviation, into: &noisyRow)
        }
    }
}
