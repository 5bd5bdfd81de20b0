internal import CKernels

/// x[rows, bias.count] = x + bias, then max(x, 0) where `rectify`.
public func addBias(_ x: inout MutableSpan<Float>, bias: Span<Float>, rectify: Bool) {
    precondition(x.count % bias.count == 0, "\(x.count) elements in rows of \(bias.count)")
    let rows = x.count / bias.count
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe ck_bias_rectifier(x.baseAddress, bias.baseAddress, rectify, rows, bias.count)
        }
    }
}

/// Backward of `addBias`: dX is cleared where `y`, the forward result, is 0; dBias is its column sums.
public func addBiasBackward(
    _ dX: inout MutableSpan<Float>,
    y: Span<Float>,
    rectify: Bool,
    dBias: inout MutableSpan<Float>
) {
    precondition(
        y.count >= dX.count && dX.count % dBias.count == 0,
        "y \(y.count), dX \(dX.count), dBias \(dBias.count)")
    let columns = dBias.count
    let rows = dX.count / columns
    unsafe y.withUnsafeBufferPointer { y in
        unsafe dX.withUnsafeMutableBufferPointer { dX in
            unsafe dBias.withUnsafeMutableBufferPointer { dBias in
                unsafe ck_bias_rectifier_backward(
                    dX.baseAddress, y.baseAddress, dBias.baseAddress, rectify, rows, columns)
            }
        }
    }
}
