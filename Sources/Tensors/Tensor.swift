/// Immutable floats with a shape: a weight.
///
/// Copies share the storage, which its owner keeps alive.
@safe
public struct Tensor: @unchecked Sendable {
    // Unchecked: nobody writes the storage after `init`, and `owner` outlives the pointer.
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
        let storage = TensorStorage(copying: values)
        unsafe self.init(shape: shape, base: storage.base, owner: storage)
        precondition(count == values.count, "\(values.count) values for shape \(shape)")
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

/// Heap storage behind a tensor that is not mapped from a file; 64-byte aligned.
@safe
private final class TensorStorage {
    let base: UnsafePointer<Float>

    init(copying values: Span<Float>) {
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(values.count, 1) * MemoryLayout<Float>.stride, alignment: 64)
        let floats = unsafe raw.bindMemory(to: Float.self, capacity: max(values.count, 1))
        for i in values.indices { unsafe (floats + i).initialize(to: values[i]) }
        unsafe base = UnsafePointer(floats)
    }

    deinit { unsafe base.deallocate() }
}
