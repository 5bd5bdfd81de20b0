/// Immutable floats with a shape: a weight.
///
/// Copies share the storage, which its owner keeps alive.
@safe
public struct Tensor: @unchecked Sendable {
    // Unchecked: nothing writes the storage after `init`, and `owner` outlives the pointer.
    private let base: UnsafePointer<Float>
    private let owner: AnyObject

    /// Extents, outermost first; a row-major layout.
    public let shape: [Int]

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }

    /// A view of `shape` floats that `owner` keeps valid and unchanged for as long as it lives.
    @unsafe
    public init(shape: [Int], base: UnsafePointer<Float>, owner: AnyObject) {
        self.shape = shape
        unsafe self.base = base
        self.owner = owner
    }

    /// A copy of `values`, whose number must be the product of `shape`.
    public init(shape: [Int], copying values: Span<Float>) {
        precondition(
            shape.reduce(1, *) == values.count, "\(values.count) values for shape \(shape)")
        self.init(shape: shape) { elements in
            for i in values.indices { elements[i] = values[i] }
        }
    }

    /// Elements that `fill` writes in place; those it leaves out are 0.
    public init(shape: [Int], filledBy fill: (_ elements: inout MutableSpan<Float>) -> Void) {
        let storage = TensorStorage(count: shape.reduce(1, *), filledBy: fill)
        unsafe self.init(shape: shape, base: storage.base, owner: storage)
    }

    /// The elements, row-major.
    public var span: Span<Float> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }
}

extension Tensor {
    /// The elements of a tensor of two extents, with their shape.
    public var view: MatrixView {
        @_lifetime(borrow self)
        get {
            precondition(shape.count == 2, "a tensor of \(shape) as a matrix")
            return MatrixView(span, rows: shape[0], columns: shape[1])
        }
    }
}

/// Heap storage behind a tensor that is not mapped from a file; 64-byte aligned.
@safe
private final class TensorStorage {
    let base: UnsafePointer<Float>

    init(count: Int, filledBy fill: (inout MutableSpan<Float>) -> Void) {
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        let floats = unsafe raw.bindMemory(to: Float.self, capacity: max(count, 1))
        unsafe floats.initialize(repeating: 0, count: count)
        var span = unsafe MutableSpan(_unsafeStart: floats, count: count)
        fill(&span)
        unsafe base = UnsafePointer(floats)
    }

    deinit { unsafe base.deallocate() }
}
