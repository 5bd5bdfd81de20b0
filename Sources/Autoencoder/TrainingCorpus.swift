internal import Kernels

/// The embeddings that a run trains on.
struct TrainingCorpus: Sendable {
    /// Clean embeddings of distinct lines: [distinct, 384].
    let embeddings: [Float]
    /// The row in `embeddings` of every training line, repetitions included.
    let lines: [Int32]
    /// The one draw of `fixed` noise: noisy embeddings of every line, [lines, 384].
    private(set) var noisy: SharedMatrix?

    /// `line`'s clean embedding.
    @_lifetime(borrow self)
    func clean(_ line: Int) -> Span<Float> {
        let start = Int(lines[line]) * AutoencoderShape.width
        return embeddings.span.extracting(start..<start + AutoencoderShape.width)
    }

    /// Draws the noise of the whole run.
    mutating func fixNoise(_ noise: inout GaussianNoise, deviation: Float) {
        let width = AutoencoderShape.width
        let drawn = SharedMatrix(rows: lines.count, columns: width)
        var rows = unsafe drawn.mutableSpan()
        for line in lines.indices {
            var row = rows._mutatingExtracting(line * width..<(line + 1) * width)
            noise.add(to: clean(line), deviation: deviation, into: &row)
        }
        noisy = drawn
    }

    /// Writes `line`'s clean embedding, and the same with noise: the run's draw, or anew from `noise`.
    ///
    /// - Parameter row: the row of `clean` and `noisy`, both [rows, 384].
    func write(
        _ line: Int, _ noise: GaussianNoise, deviation: Float, row: Int,
        clean: inout MutableSpan<Float>, noisy: inout MutableSpan<Float>
    ) {
        let width = AutoencoderShape.width
        let embedding = self.clean(line)
        var cleanRow = clean._mutatingExtracting(row * width..<(row + 1) * width)
        copy(embedding, into: &cleanRow)
        var noisyRow = noisy._mutatingExtracting(row * width..<(row + 1) * width)
        if let drawn = self.noisy {
            copy(drawn.span.extracting(line * width..<(line + 1) * width), into: &noisyRow)
        } else {
            var noise = noise
            noise.add(to: embedding, deviation: deviation, into: &noisyRow)
        }
    }
}
