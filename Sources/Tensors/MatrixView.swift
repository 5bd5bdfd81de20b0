/// The floats of a row-major matrix in storage that lives elsewhere.
///
/// A transposed view names the same storage with rows and columns exchanged, so that a product
/// reads or writes it as it lies.
public struct MatrixView: ~Escapable, Copyable {
    /// The storage, from the first element on; it may go on after the last.
    public let values: Span<Float>

    /// Rows and columns.
    public let rows, columns: Int

    /// Elements from the beginning of one row in storage to the next: of one column, if transposed.
    public let stride: Int

    /// Whether columns, not rows, lie end to end.
    public let isTransposed: Bool

    /// `rows` rows of `columns` elements in `values`, each `stride` elements after the one before.
    ///
    /// - Parameter stride: at least `columns`; `columns` if nil.
    @_lifetime(copy values)
    public init(_ values: Span<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        let stride = stride ?? columns
        requireRoom(rows, columns, stride: stride, in: values.count)
        self.init(values, rows, columns, stride, isTransposed: false)
    }

    @_lifetime(copy values)
    private init(
        _ values: Span<Float>, _ rows: Int, _ columns: Int, _ stride: Int, isTransposed: Bool
    ) {
        self.values = values
        self.rows = rows
        self.columns = columns
        self.stride = stride
        self.isTransposed = isTransposed
    }

    /// The same elements, rows and columns exchanged.
    public var transposed: MatrixView {
        @_lifetime(copy self)
        get { MatrixView(values, columns, rows, stride, isTransposed: !isTransposed) }
    }

    /// Some of the rows.
    @_lifetime(copy self)
    public func rows(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        let step = isTransposed ? 1 : stride
        return MatrixView(
            values.extracting(droppingFirst: min(range.lowerBound * step, values.count)),
            range.count, columns, stride, isTransposed: isTransposed)
    }

    /// Some of the columns.
    @_lifetime(copy self)
    public func columns(_ range: Range<Int>) -> MatrixView { transposed.rows(range).transposed }
}

/// The same for writing; a function that takes one uses it up.
public struct MutableMatrixView: ~Escapable, ~Copyable {
    /// The storage, from the first element on; it may go on after the last.
    public var values: MutableSpan<Float>

    /// Rows and columns.
    public let rows, columns: Int

    /// Elements from the beginning of one row in storage to the next: of one column, if transposed.
    public let stride: Int

    /// Whether columns, not rows, lie end to end.
    public let isTransposed: Bool

    /// `rows` rows of `columns` elements in `values`, each `stride` elements after the one before.
    ///
    /// - Parameter stride: at least `columns`; `columns` if nil.
    @_lifetime(copy values)
    public init(_ values: consuming MutableSpan<Float>, rows: Int, columns: Int, stride: Int? = nil)
    {
        let stride = stride ?? columns
        requireRoom(rows, columns, stride: stride, in: values.count)
        self.values = values
        self.rows = rows
        self.columns = columns
        self.stride = stride
        isTransposed = false
    }

    /// The same over a span that is used again afterwards.
    @_lifetime(&values)
    public init(_ values: inout MutableSpan<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.init(
            values._mutatingExtracting(0..<values.count), rows: rows, columns: columns,
            stride: stride)
    }

    @_lifetime(copy values)
    private init(
        _ values: consuming MutableSpan<Float>, _ rows: Int, _ columns: Int, _ stride: Int,
        isTransposed: Bool
    ) {
        self.values = values
        self.rows = rows
        self.columns = columns
        self.stride = stride
        self.isTransposed = isTransposed
    }

    /// The same elements, rows and columns exchanged.
    @_lifetime(copy self)
    public consuming func transposed() -> MutableMatrixView {
        MutableMatrixView(values, columns, rows, stride, isTransposed: !isTransposed)
    }
}

/// Stops if `rows` of `columns` elements, `stride` apart, do not fit into `count` elements.
private func requireRoom(_ rows: Int, _ columns: Int, stride: Int, in count: Int) {
    precondition(
        rows >= 0 && columns >= 0 && stride >= columns
            && (rows == 0 || columns == 0 || (rows - 1) * stride + columns <= count),
        "[\(rows), \(columns)] with rows \(stride) apart in \(count) elements")
}
