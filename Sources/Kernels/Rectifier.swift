public import Tensors
internal import CKernels

/// x = x + bias, a number for each column, then max(x, 0) if `rectify`.
public func addBias(_ x: consuming MutableMatrixView, bias: Span<Float>, rectify: Bool) {
    precondition(!x.isTransposed, "a bias of columns that lie end to end")
    requireColumns(x.columns, in: bias, "bias")
    let (rows, columns, stride) = (x.rows, x.columns, x.stride)
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.values.withUnsafeMutableBufferPointer { x in
            unsafe kernels_add_bias(x.baseAddress, stride, bias.baseAddress, rectify, rows, columns)
        }
    }
}

/// x = x + bias, a number for each row, then max(x, 0) if `rectify`.
///
/// - Parameter x: rows without gaps.
public func addRowBias(_ x: consuming MutableMatrixView, bias: Span<Float>, rectify: Bool) {
    precondition(!x.isTransposed && x.stride == x.columns, "rows with gaps")
    precondition(bias.count == x.rows, "bias: \(bias.count) values for \(x.rows) rows")
    let columns = x.columns
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.values.withUnsafeMutableBufferPointer { x in
            unsafe kernels_add_row_bias(
                x.baseAddress, columns, bias.baseAddress, rectify, bias.count, columns)
        }
    }
}

/// y = x1 + x2 + bias, a number for each row, then max(y, 0) if `rectify`: for a product in two
/// parts.
///
/// - Parameter x1: rows without gaps, like those of `x2` and `y`.
public func addRowBias(
    _ x1: MatrixView, _ x2: MatrixView, bias: Span<Float>, rectify: Bool,
    into y: consuming MutableMatrixView
) {
    requireSameLayout(x1, x2, "x2")
    requireSameLayout(x1, y, "y")
    precondition(x1.stride == x1.columns, "rows with gaps")
    precondition(bias.count == x1.rows, "bias: \(bias.count) values for \(x1.rows) rows")
    let (rows, columns) = (x1.rows, x1.columns)
    unsafe x1.values.withUnsafeBufferPointer { x1 in
        unsafe x2.values.withUnsafeBufferPointer { x2 in
            unsafe bias.withUnsafeBufferPointer { bias in
                unsafe y.values.withUnsafeMutableBufferPointer { y in
                    unsafe kernels_add_row_bias_to_parts(
                        y.baseAddress, x1.baseAddress, x2.baseAddress, bias.baseAddress, rectify,
                        rows, columns)
                }
            }
        }
    }
}

/// Backward of `addBias`: dBias = the column sums of dX.
public func addBiasBackward(_ dX: MatrixView, dBias: inout MutableSpan<Float>) {
    precondition(
        !dX.isTransposed && dBias.count == dX.columns,
        "\(dBias.count) sums of \(dX.columns) columns")
    let (rows, columns, stride) = (dX.rows, dX.columns, dX.stride)
    unsafe dX.values.withUnsafeBufferPointer { dX in
        unsafe dBias.withUnsafeMutableBufferPointer { dBias in
            unsafe kernels_column_sums(dBias.baseAddress, dX.baseAddress, stride, rows, columns)
        }
    }
}

/// Backward of max(x, 0) for a gradient in two parts: dX = dY1 + dY2 if `y`, the forward result, is
/// above 0, else 0.
///
/// - Parameter dY1: of the same shape and stride as all others.
public func rectifierBackward(
    _ dY1: MatrixView, _ dY2: MatrixView, y: MatrixView, into dX: consuming MutableMatrixView
) {
    requireSameLayout(dY1, dY2, "dY2")
    requireSameLayout(dY1, y, "y")
    requireSameLayout(dY1, dX, "dX")
    let (rows, columns, stride) = (y.rows, y.columns, y.stride)
    unsafe dY1.values.withUnsafeBufferPointer { dY1 in
        unsafe dY2.values.withUnsafeBufferPointer { dY2 in
            unsafe y.values.withUnsafeBufferPointer { y in
                unsafe dX.values.withUnsafeMutableBufferPointer { dX in
                    unsafe kernels_rectifier_backward(
                        dX.baseAddress, dY1.baseAddress, dY2.baseAddress, y.baseAddress, stride,
                        rows, columns)
                }
            }
        }
    }
}
