/// output[row, columns] = mean over `rows` of values[·, columns].
public func meanRow(
    _ values: Span<Float>, rows: Range<Int>, columns: Int,
    into output: inout MutableSpan<Float>, row: Int
) {
    precondition(!rows.isEmpty, "the mean of no rows")
    for j in 0..<columns { output[row * columns + j] = 0 }
    for i in rows {
        for j in 0..<columns { output[row * columns + j] += values[i * columns + j] }
    }
    let scale = 1 / Float(rows.count)
    for j in 0..<columns { output[row * columns + j] *= scale }
}

/// values[rows, columns] = values / √(sum of the row's squares), each row; a row below 1e-12 is divided
/// by that instead, as PyTorch's `normalize` does.
public func scaleRowsToLengthOne(_ values: inout MutableSpan<Float>, rows: Int, columns: Int) {
    for i in 0..<rows {
        var squares: Float = 0
        for j in 0..<columns { squares += values[i * columns + j] * values[i * columns + j] }
        let scale = 1 / max(squares.squareRoot(), 1e-12)
        for j in 0..<columns { values[i * columns + j] *= scale }
    }
}
