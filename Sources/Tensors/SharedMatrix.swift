internal import Glibc

/// Row-major single-precision storage `[rows, columns]`, 64-byte aligned, that several threads fill
/// together.
@safe
public final class SharedMatrix: @unchecked Sendable {
    // Unchecked: the pointer never changes; what is written through it, and when, is the business of
    // who calls `mutableSpan(from:)`, which is unsafe for that reason.
    private let base: UnsafeMutablePointer<Float>
    private let allocation: UnsafeMutableRawPointer

    /// The number of rows.
    public let rows: Int

    /// Elements in a row.
    public let columns: Int

    /// Storage for `rows` rows of `columns` elements, zero; a large one takes memory only as it is used.
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
    /// Unsafe: the caller sees to it that no element is written by one thread while another reads or
    /// writes it.
    @unsafe
    @_lifetime(borrow self)
    public func mutableSpan(from offset: Int = 0) -> MutableSpan<Float> {
        let count = rows * columns - offset
        precondition(offset >= 0 && count >= 0, "element \(offset) of [\(rows), \(columns)]")
        let span = unsafe MutableSpan(_unsafeStart: base + offset, count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }
}
