/// Row-major single-precision storage `[rows, columns]`, 64-byte aligned, with one owner.
///
/// Made once and used again: `rows` may be set to anything up to `capacity`, the storage stays.
@safe
public struct Matrix: ~Copyable, @unchecked Sendable {
    // Unchecked: the pointer is private, has one owner, and is reached through spans only.
    private let base: UnsafeMutablePointer<Float>

    /// The number of rows there is room for.
    public let capacity: Int

    /// Elements in a row.
    public let columns: Int

    /// Rows in use, from 0 to `capacity`.
    public var rows: Int {
        didSet { precondition(0...capacity ~= rows, "\(rows) rows, capacity \(capacity)") }
    }

    /// Zeroed storage for `rows` rows of `columns` elements, all in use.
    public init(rows: Int, columns: Int) {
        precondition(rows >= 0 && columns >= 0, "a matrix of [\(rows), \(columns)]")
        let count = rows * columns
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        unsafe base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
        unsafe base.initialize(repeating: 0, count: count)
        capacity = rows
        self.columns = columns
        self.rows = rows
    }

    deinit { unsafe base.deallocate() }

    /// The rows in use, end to end.
    public var span: Span<Float> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: base, count: rows * columns)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The rows in use, end to end, for writing.
    public var mutableSpan: MutableSpan<Float> {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: rows * columns)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The rows in use, with their shape.
    public var view: MatrixView {
        @_lifetime(borrow self)
        get { MatrixView(span, rows: rows, columns: columns) }
    }

    /// The rows in use, with their shape, for writing.
    public var mutableView: MutableMatrixView {
        @_lifetime(&self)
        mutating get {
            let (rows, columns) = (rows, columns)
            return MutableMatrixView(mutableSpan, rows: rows, columns: columns)
        }
    }
}
