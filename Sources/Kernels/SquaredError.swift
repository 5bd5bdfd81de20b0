public import Tensors
internal import CKernels

/// The mean of (y − target)² over all elements, summed in double precision over blocks of 1,024.
public func meanSquaredError(_ y: Span<Float>, target: Span<Float>) -> Double {
    precondition(y.count == target.count, "\(y.count) values, \(target.count) targets")
    guard !y.isEmpty else { return 0 }
    let block = 1024
    let whole = y.count / block
    let left = y.count - whole * block
    var sum = 0.0
    var rest = 0.0
    unsafe y.withUnsafeBufferPointer { y in
        unsafe target.withUnsafeBufferPointer { target in
            guard let y = y.baseAddress, let target = target.baseAddress else { return }
            unsafe kernels_squared_error(&sum, nil, y, target, 0, block, whole, block)
            let done = whole * block
            unsafe kernels_squared_error(&rest, nil, y + done, target + done, 0, 0, 1, left)
        }
    }
    return (sum + rest) / Double(y.count)
}

/// Σ (y − target)² over all elements, and the gradient dY = scale · (y − target).
///
/// - Parameter y: of the same shape and stride as `target` and `dY`.
public func squaredError(
    _ y: MatrixView, target: MatrixView, scale: Float, dY: consuming MutableMatrixView
) -> Double {
    requireSameLayout(y, target, "target")
    requireSameLayout(y, dY, "dY")
    let (rows, columns, stride) = (y.rows, y.columns, y.stride)
    var sum = 0.0
    unsafe y.values.withUnsafeBufferPointer { y in
        unsafe target.values.withUnsafeBufferPointer { target in
            unsafe dY.values.withUnsafeMutableBufferPointer { dY in
                unsafe kernels_squared_error(
                    &sum, dY.baseAddress, y.baseAddress, target.baseAddress, scale, stride, rows,
                    columns)
            }
        }
    }
    return sum
}
