internal import Tensors

/// Stops unless `other` has the rows, columns and stride of `x`, and both lie by rows.
func requireSameLayout(_ x: MatrixView, _ other: MatrixView, _ name: StaticString) {
    precondition(
        !x.isTransposed && !other.isTransposed && x.rows == other.rows
            && x.columns == other.columns && x.stride == other.stride,
        "\(name): [\(other.rows), \(other.columns)] with rows \(other.stride) apart, "
            + "not [\(x.rows), \(x.columns)] with rows \(x.stride) apart")
}

/// The same for a view to write to.
func requireSameLayout(_ x: MatrixView, _ other: borrowing MutableMatrixView, _ name: StaticString)
{
    precondition(
        !x.isTransposed && !other.isTransposed && x.rows == other.rows
            && x.columns == other.columns && x.stride == other.stride,
        "\(name): [\(other.rows), \(other.columns)] with rows \(other.stride) apart, "
            + "not [\(x.rows), \(x.columns)] with rows \(x.stride) apart")
}

/// Stops unless a vector has an element for each of `columns` columns.
func requireColumns(_ columns: Int, in vector: Span<Float>, _ name: StaticString) {
    precondition(vector.count >= columns, "\(name): \(vector.count) values for \(columns) columns")
}

/// Stops if `rows` of `columns` elements, `stride` apart, do not fit into `count` elements.
func requireRows(
    _ rows: Int, of columns: Int, stride: Int, in count: Int, _ name: StaticString
) {
    precondition(
        rows >= 0 && columns >= 0 && stride >= columns
            && (rows == 0 || columns == 0 || (rows - 1) * stride + columns <= count),
        "\(name): [\(rows), \(columns)] with rows \(stride) apart in \(count) elements")
}
