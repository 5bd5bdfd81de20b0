/// output[sequences, columns] = the mean of each sequence's rows, scaled to length 1.
///
/// Sequence s has the rows offsets[s] ..< offsets[s + 1] of `tokens`. The length is at least 1e-12, as in
/// PyTorch's `normalize`.
public func poolMeanNormalized(
    _ tokens: Span<Float>,
    columns: Int,
    offsets: Span<Int>,
    into output: inout MutableSpan<Float>
) {
    for sequence in 0..<offsets.count - 1 {
        let start = sequence * columns
        for c in 0..<columns { output[start + c] = 0 }
        for row in offsets[sequence]..<offsets[sequence + 1] {
            let values = tokens.extracting(row * columns..<(row + 1) * columns)
            for c in values.indices { output[start + c] += values[c] }
        }
        let count = Float(offsets[sequence + 1] - offsets[sequence])
        var squares: Float = 0
        for c in 0..<columns {
            output[start + c] /= count
            squares += output[start + c] * output[start + c]
        }
        let scale = 1 / max(squares.squareRoot(), 1e-12)
        for c in 0..<columns { output[start + c] *= scale }
    }
}
