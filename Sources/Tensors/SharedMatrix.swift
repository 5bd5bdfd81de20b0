internal import Glibc

/// Row-major single-precision storage `[rows, columns]`, 64-byte aligned, that several threads
/// fill.
@safe
public final class SharedMatrix: @unchecked Sendable {
    // Unchecked: the pointer never changes. Callers of `mutableSpan(from:)`, which is unsafe for
    // that reason, answer for what is written through it, and when.
    private let base: UnsafeMutablePointer<Float>
    private let allocation: UnsafeMutableRawPointer

    /// The number of rows.
    public let rows: Int

    /// Elements in a row.
    public let columns: Int

    /// Zeroed storage for `rows` rows of `columns` elements; a large one takes memory only as it is
    /// used.
    public init(rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0, "a matrix of [\(rows), \(columns)]")
        let count = rows * columns
        // calloc, because it knows that fresh pages are zero and does not touch them.
        guard let zeroed = unsafe calloc(count * MemoryLayout<Float>.stride + 64, 1) else {
            preconditionFailure("no memory for [\(rows), \(columns)]")
        }
        unsafe allocation = zeroed
        unsafe base = zeroed.alignedUp(toMultipleOf: 64).bindMemory(to: Float.self, capacity: count)
        self.rows = rows
        self.columns = columns
    }

    deinit { unsafe free(allocation) }

    /// The elements, end to end.
    public var span: Span<Float> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: base, count: rows * columns)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements from number `offset` on.
    @_lifetime(borrow self)
    public func span(from offset: Int) -> Span<Float> { span.extracting(droppingFirst: offset) }

    /// The elements from number `offset` on, for one of the threads.
    ///
    /// Unsafe: the caller ensures that no thread writes an element while another reads or writes
    /// it.
    @unsafe
    @_lifetime(borrow self)
    public func mutableSpan(from offset: Int = 0) -> MutableSpan<Float> {
        let count = rows * columns - offset
        precondition(offset >= 0 && count >= 0, "element \(offset) of [\(rows), \(columns)]")
        let span = unsafe MutableSpan(_unsafeStart: base + offset, count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Some of the rows and columns.
    @_lifetime(borrow self)
    public func view(rows: Range<Int>, columns: Range<Int>) -> MatrixView {
        view(
            from: rows.lowerBound * self.columns + columns.lowerBound, rows: rows.count,
            columns: columns.count, stride: self.columns)
    }

    /// Some of the rows and columns, for one of the threads; unsafe as `mutableSpan(from:)` is.
    @unsafe
    @_lifetime(borrow self)
    public func mutableView(rows: Range<Int>, columns: Range<Int>) -> MutableMatrixView {
        unsafe mutableView(
            from: rows.lowerBound * self.columns + columns.lowerBound, rows: rows.count,
            columns: columns.count, stride: self.columns)
    }

    /// The elements from number `offset` on as a matrix of its own.
    @_lifetime(borrow self)
    public func view(
        from offset: Int, rows: Int, columns: Int, stride: Int? = nil
    ) -> MatrixView {
        MatrixView(span(from: offset), rows: rows, columns: columns, stride: stride)
    }

    /// The same for one of the threads; unsafe as `mutableSpan(from:)` is.
    @unsafe
    @_lifetime(borrow self)
    public func mutableView(
        from offset: Int, rows: Int, columns: Int, stride: Int? = nil
    ) -> MutableMatrixView {
        MutableMatrixView(
            unsafe mutableSpan(from: offset), rows: rows, columns: columns, stride: stride)
    }
}
