internal import CKernels

/// y[columns, rows] = x[rows, columns]ᵀ.
///
/// - Parameters:
///   - strideX: elements from one row of `x` to the next; dense where nil.
///   - strideY: the same for `y`.
public func transpose(
    _ x: Span<Float>, rows: Int, columns: Int, strideX: Int? = nil, strideY: Int? = nil,
    into y: inout MutableSpan<Float>
) {
    let (strideX, strideY) = (strideX ?? columns, strideY ?? rows)
    requireRows(rows, of: columns, stride: strideX, in: x.count, "x")
    requireRows(columns, of: rows, stride: strideY, in: y.count, "y")
    unsafe x.withUnsafeBufferPointer { x in
        unsafe y.withUnsafeMutableBufferPointer { y in
            unsafe kernels_transpose(
                x.baseAddress, strideX, y.baseAddress, strideY, rows, columns)
        }
    }
}
