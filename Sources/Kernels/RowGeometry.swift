internal import CKernels

// Lengths of rows, and how far one row lies from another, in double: the squares of floats have no
// room in floats.

/// lengths[rows] = Σ x² over each row of x [rows, columns].
public func squaredLengths(
    _ x: Span<Float>, rows: Int, columns: Int, into lengths: inout MutableSpan<Double>
) {
    requireRows(rows, of: columns, stride: columns, in: x.count, "x")
    precondition(lengths.count >= rows, "\(lengths.count) lengths of \(rows)")
    unsafe x.withUnsafeBufferPointer { x in
        unsafe lengths.withUnsafeMutableBufferPointer { lengths in
            unsafe kernels_squared_lengths(
                lengths.baseAddress, x.baseAddress, rows, columns)
        }
    }
}

/// levels[rows] = √(max(Σ (x + shift)² − 1, 0) / columns): how noisy rows are that have length 1
/// without noise.
///
/// - Parameters:
///   - x: [rows, columns].
///   - shift: what was taken off every row, [columns].
public func levelsOfLengths(
    _ x: Span<Float>, shift: Span<Float>, rows: Int, into levels: inout MutableSpan<Float>
) {
    let columns = shift.count
    requireRows(rows, of: columns, stride: columns, in: x.count, "x")
    precondition(levels.count >= rows, "\(levels.count) levels of \(rows)")
    unsafe x.withUnsafeBufferPointer { x in
        unsafe shift.withUnsafeBufferPointer { shift in
            unsafe levels.withUnsafeMutableBufferPointer { levels in
                unsafe kernels_levels_of_lengths(
                    levels.baseAddress, x.baseAddress, shift.baseAddress, rows, columns)
            }
        }
    }
}

/// y[rows, columns] = x · the row's factor.
public func scaleRows(
    _ x: Span<Float>, by factors: Span<Double>, rows: Int, columns: Int,
    into y: inout MutableSpan<Float>
) {
    requireRows(rows, of: columns, stride: columns, in: x.count, "x")
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    precondition(factors.count >= rows, "\(factors.count) factors of \(rows)")
    unsafe x.withUnsafeBufferPointer { x in
        unsafe y.withUnsafeMutableBufferPointer { y in
            unsafe factors.withUnsafeBufferPointer { factors in
                unsafe kernels_scale_rows(
                    y.baseAddress, x.baseAddress, factors.baseAddress, rows, columns)
            }
        }
    }
}

/// ways[rows] = Σ (scale · f − x)², over each row.
///
/// - Parameters:
///   - f: [rows, columns].
///   - x: [rows, columns].
///   - scales: [rows].
public func squaredWays(
    _ f: Span<Float>, from x: Span<Float>, scales: Span<Double>, rows: Int, columns: Int,
    into ways: inout MutableSpan<Double>
) {
    requireRows(rows, of: columns, stride: columns, in: f.count, "f")
    requireRows(rows, of: columns, stride: columns, in: x.count, "x")
    precondition(
        scales.count >= rows && ways.count >= rows,
        "\(scales.count) scales and \(ways.count) ways of \(rows)")
    unsafe f.withUnsafeBufferPointer { f in
        unsafe x.withUnsafeBufferPointer { x in
            unsafe scales.withUnsafeBufferPointer { scales in
                unsafe ways.withUnsafeMutableBufferPointer { ways in
                    unsafe kernels_squared_ways(
                        ways.baseAddress, f.baseAddress, x.baseAddress, scales.baseAddress, rows,
                        columns)
                }
            }
        }
    }
}

/// f[rows, columns] = x + amount · (scale · f − x); a row whose amount is 0 is x to the bit.
///
/// - Parameters:
///   - amounts: from 0, nothing, to 1, all the way; [rows].
///   - scales: [rows].
public func blend(
    _ f: inout MutableSpan<Float>, with x: Span<Float>, amounts: Span<Double>,
    scales: Span<Double>, rows: Int, columns: Int
) {
    requireRows(rows, of: columns, stride: columns, in: f.count, "f")
    requireRows(rows, of: columns, stride: columns, in: x.count, "x")
    precondition(
        amounts.count >= rows && scales.count >= rows,
        "\(amounts.count) amounts and \(scales.count) scales of \(rows)")
    unsafe f.withUnsafeMutableBufferPointer { f in
        unsafe x.withUnsafeBufferPointer { x in
            unsafe amounts.withUnsafeBufferPointer { amounts in
                unsafe scales.withUnsafeBufferPointer { scales in
                    unsafe kernels_blend(
                        f.baseAddress, x.baseAddress, amounts.baseAddress, scales.baseAddress,
                        rows, columns)
                }
            }
        }
    }
}

/// sums[rows, levels] = Σ (factor · y − mean)² · precision, over the columns.
///
/// - Parameters:
///   - y: [rows, columns].
///   - mean: [columns].
///   - factors: one for each level, [levels].
///   - precisions: [levels, columns].
public func weightedDistances(
    _ y: Span<Float>, mean: Span<Float>, factors: Span<Float>, precisions: Span<Float>, rows: Int,
    into sums: inout MutableSpan<Float>
) {
    let (columns, levels) = (mean.count, factors.count)
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    requireRows(levels, of: columns, stride: columns, in: precisions.count, "precisions")
    requireRows(rows, of: levels, stride: levels, in: sums.count, "sums")
    unsafe y.withUnsafeBufferPointer { y in
        unsafe mean.withUnsafeBufferPointer { mean in
            unsafe factors.withUnsafeBufferPointer { factors in
                unsafe precisions.withUnsafeBufferPointer { precisions in
                    unsafe sums.withUnsafeMutableBufferPointer { sums in
                        unsafe kernels_weighted_distances(
                            sums.baseAddress, y.baseAddress, mean.baseAddress,
                            factors.baseAddress, precisions.baseAddress, rows, levels, columns)
                    }
                }
            }
        }
    }
}
