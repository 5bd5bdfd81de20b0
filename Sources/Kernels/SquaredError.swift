internal import CKernels

/// The mean of (y − target)² over all elements, summed in double precision over blocks of 1,024.
public func meanSquaredError(_ y: Span<Float>, target: Span<Float>) -> Double {
    precondition(y.count == target.count, "\(y.count) values, \(target.count) targets")
    guard !y.isEmpty else { return 0 }
    let sum = unsafe y.withUnsafeBufferPointer { y in
        unsafe target.withUnsafeBufferPointer { target in
            unsafe ck_squared_error(y.baseAddress, target.baseAddress, nil, 0, y.count)
        }
    }
    return sum / Double(y.count)
}

/// The same, and its gradient dY = 2 (y − target) / count.
public func meanSquaredError(
    _ y: Span<Float>, target: Span<Float>, dY: inout MutableSpan<Float>
) -> Double {
    precondition(
        y.count == target.count && dY.count >= y.count,
        "\(y.count) values, \(target.count) targets, \(dY.count) gradients")
    guard !y.isEmpty else { return 0 }
    let factor = 2 / Float(y.count)
    let sum = unsafe y.withUnsafeBufferPointer { y in
        unsafe target.withUnsafeBufferPointer { target in
            unsafe dY.withUnsafeMutableBufferPointer { dY in
                unsafe ck_squared_error(
                    y.baseAddress, target.baseAddress, dY.baseAddress, factor, y.count)
            }
        }
    }
    return sum / Double(y.count)
}
