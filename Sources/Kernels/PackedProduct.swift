public import Tensors
internal import CKernels

/// The order of weights in which a product needs no repacking: six rows interleave, [out / 6, in, 6].
///
/// BLAS brings the weights into such an order on every call. Over all weights of the encoder (42 MB) on one core
/// (AMD, family 25), `sgemm` takes as many times as long as `multiply(panels:)` for 4, 8, 16, 32, 64, 128, 256
/// and 512 rows: with AVX-512 2.5, 3.1, 2.6, 2.0, 1.5, 1.3, 1.2 and 1.14, with AVX2 2.8, 3.2, 2.1, 1.75, 1.45, 1.2,
/// 1.15 and 1.13; the kernel for few rows of plain weights with AVX2 1.6, 1.7, 1.2, 1.25, 1.2, 1.2, 1.15 and 1.12.
public enum PackedWeight {
    /// Rows that lie together.
    public static let rows = Int(KERNELS_PACKED_ROWS)

    /// The shape of a packed weight of [`out`, `in`]; nil where `out` is no multiple of `rows`.
    public static func shape(out: Int, in columns: Int) -> [Int]? {
        out % rows == 0 ? [out / rows, columns, rows] : nil
    }

    /// [out, in] of a weight whose packed shape is `shape`; nil where it is none.
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
        var place = 0
        for first in stride(from: 0, to: out, by: rows) {
            for column in 0..<columns {
                for row in first..<first + rows {
                    packed[place] = plain[row * columns + column]
                    place += 1
                }
            }
        }
        return Tensor(shape: [out / rows, columns, rows], copying: packed.span)
    }
}

/// The deepest part of an operand that is packed at once: what a product reads again and again then stays in
/// the first-level caches.
public let panelDepth = 384

/// Elements of panels for `rows` rows of an operand.
public func panelCount(rows: Int) -> Int { wholeRows(rows) * panelDepth }

/// `rows` and those that fill up their last panel.
private func wholeRows(_ rows: Int) -> Int {
    let unit = Int(KERNELS_PANEL_ROWS)
    return (rows + unit - 1) / unit * unit
}

/// panels = columns `depth` of x[rows, ·], in the order in which `multiply(panels:)` reads them.
///
/// - Parameters:
///   - depth: at most `panelDepth` columns.
///   - stride: elements from one row of `x` to the next.
///   - panels: `panelCount(rows:)` elements.
public func packRows(
    _ x: Span<Float>, depth: Range<Int>, stride: Int, rows: Int,
    into panels: inout MutableSpan<Float>
) {
    requireRows(rows, of: depth.upperBound, stride: stride, in: x.count, "x")
    precondition(
        depth.lowerBound >= 0 && depth.count <= panelDepth
            && panels.count >= panelCount(rows: rows),
        "\(depth) of \(rows) rows into \(panels.count) elements")
    guard rows > 0, !depth.isEmpty else { return }
    unsafe x.extracting(droppingFirst: depth.lowerBound).withUnsafeBufferPointer { x in
        unsafe panels.withUnsafeMutableBufferPointer { panels in
            unsafe kernels_pack_rows(
                x.baseAddress, stride, rows, depth.count, panels.baseAddress)
        }
    }
}

/// How the rows of a product's output lie.
public enum OutputOrder: Sendable {
    /// [rows, columns].
    case rows
    /// [columns, rows], with room for whole panels of rows.
    case columns
}

/// output = x · weightᵀ, or what it held and that more.
///
/// Every element is summed in one order, so a row gets the same bits whatever other rows come with it.
///
/// - Parameters:
///   - panels: columns `depth` of x[rows, ·] as `packRows` leaves them.
///   - weight: a packed weight, from the six of its first row on; `columns` rows of it are used.
///   - weightColumns: all columns of the weight.
///   - rows: rows of x that were packed.
///   - columns: columns of the product, a multiple of `PackedWeight.rows`.
///   - adding: whether to add to `output`.
///   - stride: elements from one row of `output`, or column where it lies so, to the next.
public func multiply(
    panels: Span<Float>, depth: Range<Int>, _ weight: Span<Float>, weightColumns: Int,
    rows: Int, columns: Int, adding: Bool, order: OutputOrder = .rows, stride: Int,
    into output: inout MutableSpan<Float>
) {
    let six = PackedWeight.rows
    precondition(
        columns % six == 0 && depth.count <= panelDepth && depth.upperBound <= weightColumns
            && weight.count >= columns * weightColumns && panels.count >= panelCount(rows: rows),
        "\(columns) columns, \(depth) of \(weightColumns), \(weight.count) weights, \(panels.count) in panels"
    )
    switch order {
    case .rows: requireRows(rows, of: columns, stride: stride, in: output.count, "output")
    case .columns:
        requireRows(columns, of: wholeRows(rows), stride: stride, in: output.count, "output")
    }
    guard rows > 0, columns > 0, !depth.isEmpty else { return }
    let weight = weight.extracting(droppingFirst: depth.lowerBound * six)
    unsafe panels.withUnsafeBufferPointer { panels in
        unsafe weight.withUnsafeBufferPointer { weight in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe kernels_packed_product(
                    panels.baseAddress, weight.baseAddress, weightColumns * six,
                    output.baseAddress, order == .rows ? stride : 1, order == .rows ? 1 : stride,
                    rows, columns, depth.count, adding)
            }
        }
    }
}
