public import Tensors
internal import CKernels

/// The order of weights in which a product needs no repacking: six rows interleave, [out / 6, in,
/// 6].
///
/// BLAS brings the weights into such an order on every call. A packed weight is faster than `sgemm`
/// and than the kernels for few rows at every number of rows, most at 8.
public enum PackedWeight {
    /// Rows that lie together.
    public static let rows = Int(KERNELS_PACKED_ROWS)

    /// The shape of a packed weight of [`out`, `in`]; nil if `out` is no multiple of `rows`.
    public static func shape(out: Int, in columns: Int) -> [Int]? {
        out % rows == 0 ? [out / rows, columns, rows] : nil
    }

    /// [out, in] of a weight whose packed shape is `shape`; nil if it is none.
    public static func plainShape(of shape: [Int]) -> [Int]? {
        shape.count == 3 && shape[2] == rows ? [shape[0] * rows, shape[1]] : nil
    }

    /// `weight` [out, in], packed; `out` must be a multiple of `rows`.
    public static func pack(_ weight: Tensor) -> Tensor {
        precondition(
            weight.shape.count == 2 && weight.shape[0] % rows == 0,
            "a weight of \(weight.shape) is not [out, in] with whole groups of \(rows) rows")
        let (out, columns) = (weight.shape[0], weight.shape[1])
        let plain = weight.span
        var packed = [Float](repeating: 0, count: plain.count)
        var next = 0
        for first in stride(from: 0, to: out, by: rows) {
            for column in 0..<columns {
                for row in first..<first + rows {
                    packed[next] = plain[row * columns + column]
                    next += 1
                }
            }
        }
        return Tensor(shape: [out / rows, columns, rows], copying: packed.span)
    }
}

/// Columns `depth` of an operand x, in the order in which a product with a packed weight reads
/// them.
///
/// At most `mostDepth` columns at once: what a product reads again and again then stays in the
/// first-level caches.
public struct Panels: ~Escapable {
    /// The most columns of an operand that are packed at once.
    public static let mostDepth = 384

    /// Elements of storage for `rows` rows of an operand.
    public static func count(rows: Int) -> Int { wholeRows(rows) * mostDepth }

    /// Rows of the operand.
    public let rows: Int

    /// Columns of the operand.
    public let depth: Range<Int>

    let values: Span<Float>

    /// Packs columns `depth` of `x` into `storage`, of at least `count(rows:)` elements.
    @_lifetime(&storage)
    public init(_ x: MatrixView, depth: Range<Int>, in storage: inout MutableSpan<Float>) {
        precondition(
            !x.isTransposed && depth.lowerBound >= 0 && depth.upperBound <= x.columns
                && depth.count <= Self.mostDepth && storage.count >= Self.count(rows: x.rows),
            "\(depth) of [\(x.rows), \(x.columns)] into \(storage.count) elements")
        let (rows, stride) = (x.rows, x.stride)
        if rows > 0, !depth.isEmpty {
            unsafe x.columns(depth).values.withUnsafeBufferPointer { x in
                unsafe storage.withUnsafeMutableBufferPointer { storage in
                    unsafe kernels_pack_rows(
                        x.baseAddress, stride, rows, depth.count, storage.baseAddress)
                }
            }
        }
        self.rows = rows
        self.depth = depth
        values = storage.span
    }

    /// `rows` and those that fill up their last panel.
    static func wholeRows(_ rows: Int) -> Int {
        let unit = Int(KERNELS_PANEL_ROWS)
        return (rows + unit - 1) / unit * unit
    }
}

/// output = x · weightᵀ over the panels' columns of x, or what `output` held and that more.
///
/// Every element is summed in one order, so a row gets the same bits whatever other rows come with
/// it.
///
/// - Parameters:
///   - x: columns of x, packed.
///   - sixes: rows of a packed weight, seen as [rows / 6, columns · 6].
///   - adding: whether to add to `output`.
///   - output: if transposed, with room for whole panels of rows, of which those behind the last
///     get anything.
public func multiply(
    _ x: borrowing Panels, sixes: MatrixView, adding: Bool, into output: consuming MutableMatrixView
) {
    let six = PackedWeight.rows
    let (rows, columns, depth) = (x.rows, output.columns, x.depth)
    precondition(
        !sixes.isTransposed && output.rows == rows && columns == sixes.rows * six
            && depth.upperBound * six <= sixes.columns,
        "\(depth) of [\(sixes.rows), \(sixes.columns)] into [\(output.rows), \(columns)]")
    let (stride, isTransposed) = (output.stride, output.isTransposed)
    if isTransposed {
        let whole = Panels.wholeRows(rows)
        precondition(
            columns == 0
                || stride >= whole && (columns - 1) * stride + whole <= output.values.count,
            "no room for whole panels: \(whole) rows of \(columns) columns \(stride) apart "
                + "in \(output.values.count) elements")
    }
    guard rows > 0, columns > 0, !depth.isEmpty else { return }
    let sixStride = sixes.stride
    let weight = sixes.values.extracting(droppingFirst: depth.lowerBound * six)
    unsafe x.values.withUnsafeBufferPointer { panels in
        unsafe weight.withUnsafeBufferPointer { weight in
            unsafe output.values.withUnsafeMutableBufferPointer { output in
                unsafe kernels_packed_product(
                    panels.baseAddress, weight.baseAddress, sixStride, output.baseAddress,
                    isTransposed ? 1 : stride, isTransposed ? stride : 1, rows, columns,
                    depth.count, adding)
            }
        }
    }
}
