internal import CKernels

/// x[rows, bias.count] = x + bias, then max(x, 0) where `rectify`.
///
/// - Parameter stride: elements from one row of `x` to the next; dense where nil.
public func addBias(
    _ x: inout MutableSpan<Float>, bias: Span<Float>, rectify: Bool, rows: Int, stride: Int? = nil
) {
    let columns = bias.count
    let stride = stride ?? columns
    requireRows(rows, of: columns, stride: stride, in: x.count, "x")
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe kernels_add_bias(x.baseAddress, stride, bias.baseAddress, rectify, rows, columns)
        }
    }
}

/// x[bias.count, columns] = x + bias, a number for each row, then max(x, 0) where `rectify`.
public func addRowBias(
    _ x: inout MutableSpan<Float>, bias: Span<Float>, rectify: Bool, columns: Int
) {
    requireRows(bias.count, of: columns, stride: columns, in: x.count, "x")
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe kernels_add_row_bias(
                x.baseAddress, columns, bias.baseAddress, rectify, bias.count, columns)
        }
    }
}

/// y[bias.count, columns] = x1 + x2 + bias, a number for each row, then max(y, 0) where `rectify`: the same for a
/// product that comes in two parts.
public func addRowBias(
    _ x1: Span<Float>, _ x2: Span<Float>, bias: Span<Float>, rectify: Bool, columns: Int,
    into y: inout MutableSpan<Float>
) {
    let rows = bias.count
    requireRows(rows, of: columns, stride: columns, in: x1.count, "x1")
    requireRows(rows, of: columns, stride: columns, in: x2.count, "x2")
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    unsafe x1.withUnsafeBufferPointer { x1 in
        unsafe x2.withUnsafeBufferPointer { x2 in
            unsafe bias.withUnsafeBufferPointer { bias in
                unsafe y.withUnsafeMutableBufferPointer { y in
                    unsafe kernels_add_row_bias_to_parts(
                        y.baseAddress, x1.baseAddress, x2.baseAddress, bias.baseAddress, rectify,
                        rows, columns)
                }
            }
        }
    }
}

/// Backward of an added bias: dBias = the column sums of dX [rows, dBias.count].
public func addBiasBackward(
    _ dX: Span<Float>, rows: Int, stride: Int, dBias: inout MutableSpan<Float>
) {
    let columns = dBias.count
    requireRows(rows, of: columns, stride: stride, in: dX.count, "dX")
    unsafe dX.withUnsafeBufferPointer { dX in
        unsafe dBias.withUnsafeMutableBufferPointer { dBias in
            unsafe kernels_column_sums(dBias.baseAddress, dX.baseAddress, stride, rows, columns)
        }
    }
}

/// Backward of max(x, 0) for a gradient that comes in two parts: dX = dY1 + dY2 where `y`, the forward
/// result, is above 0, else 0.
///
/// All are [rows, columns] with rows `stride` elements apart.
public func rectifierBackward(
    _ dY1: Span<Float>, _ dY2: Span<Float>, y: Span<Float>, rows: Int, columns: Int, stride: Int,
    into dX: inout MutableSpan<Float>
) {
    requireRows(rows, of: columns, stride: stride, in: dY1.count, "dY1")
    requireRows(rows, of: columns, stride: stride, in: dY2.count, "dY2")
    requireRows(rows, of: columns, stride: stride, in: y.count, "y")
    requireRows(rows, of: columns, stride: stride, in: dX.count, "dX")
    unsafe dY1.withUnsafeBufferPointer { dY1 in
        unsafe dY2.withUnsafeBufferPointer { dY2 in
            unsafe y.withUnsafeBufferPointer { y in
                unsafe dX.withUnsafeMutableBufferPointer { dX in
                    unsafe kernels_rectifier_backward(
                        dX.baseAddress, dY1.baseAddress, dY2.baseAddress, y.baseAddress, stride,
                        rows, columns)
                }
            }
        }
    }
}
