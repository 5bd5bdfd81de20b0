public import Tensors

/// mean[columns] = the mean of the rows.
public func meanRow(of rows: MatrixView, into mean: inout MutableSpan<Float>) {
    precondition(rows.rows > 0 && !rows.isTransposed, "the mean of \(rows.rows) rows")
    let values = rows.values
    for j in 0..<rows.columns { mean[j] = 0 }
    for i in 0..<rows.rows {
        for j in 0..<rows.columns { mean[j] += values[i * rows.stride + j] }
    }
    let scale = 1 / Float(rows.rows)
    for j in 0..<rows.columns { mean[j] *= scale }
}

/// Scales each row to length 1: x / √(sum of the row's squares).
///
/// A row whose length is below 1e-12 is divided by that instead, as PyTorch's `normalize` does.
public func scaleRowsToLengthOne(_ x: consuming MutableMatrixView) {
    precondition(!x.isTransposed, "rows that do not lie end to end")
    let (rows, columns, stride) = (x.rows, x.columns, x.stride)
    for i in 0..<rows {
        var squares: Float = 0
        for j in 0..<columns { squares += x.values[i * stride + j] * x.values[i * stride + j] }
        let scale = 1 / max(squares.squareRoot(), 1e-12)
        for j in 0..<columns { x.values[i * stride + j] *= scale }
    }
}
