internal import CKernels

// What lies between the products of the adaptive denoiser's network, forward and backward. A row
// has one noise level s. w are the variances of clean vectors along their principal axes.
// g = w / (w + s²) is the gain of the Wiener filter (Wiener 1949) there.

/// The centres of the levels' features that the network sees beside a row.
///
/// They stand at i · `spacing`, with i from 0 to `count` − 1.
public struct LevelFeatures: Sendable, Equatable {
    /// How many there are, at most 16.
    public let count: Int
    /// The distance of two neighbours, and the width of their bells.
    public let spacing: Float

    /// `count` features from 0 on, `spacing` apart.
    public init(count: Int, spacing: Float) {
        precondition(0...16 ~= count && spacing > 0, "\(count) features, \(spacing) apart")
        self.count = count
        self.spacing = spacing
    }
}

/// input[rows, stride] = (y − mean) / √(w + s²), then the features exp(−((s − cᵢ) / spacing)²), 1,
/// and zeros.
///
/// - Parameters:
///   - y: [rows, columns] in the basis of the principal axes.
///   - mean: the mean of clean vectors there, [columns].
///   - w: their variances, [columns].
///   - s: a noise level for each row, [rows].
///   - stride: elements of a row of `input`, more than columns and features together.
public func networkInput(
    _ y: Span<Float>, mean: Span<Float>, w: Span<Float>, s: Span<Float>, features: LevelFeatures,
    rows: Int, stride: Int, into input: inout MutableSpan<Float>
) {
    let columns = w.count
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    requireRows(rows, of: stride, stride: stride, in: input.count, "input")
    precondition(
        mean.count == columns && s.count >= rows && stride > columns + features.count,
        "\(mean.count) means of \(columns), \(s.count) levels of \(rows), \(stride) apart")
    unsafe input.withUnsafeMutableBufferPointer { input in
        unsafe y.withUnsafeBufferPointer { y in
            unsafe mean.withUnsafeBufferPointer { mean in
                unsafe w.withUnsafeBufferPointer { w in
                    unsafe s.withUnsafeBufferPointer { s in
                        unsafe kernels_network_input(
                            input.baseAddress, stride, y.baseAddress, mean.baseAddress,
                            w.baseAddress, s.baseAddress, rows, columns, features.count,
                            features.spacing)
                    }
                }
            }
        }
    }
}

/// gated[rows, hidden] = silu(p) · q for h[rows, 2 · hidden] = [p; q], silu(p) = p / (1 + exp(−p)).
///
/// SwiGLU (Shazeer 2020, arXiv 2002.05202); the exponential is within 3e-9, so the result within
/// 3e-7 of itself.
public func gated(
    _ h: Span<Float>, rows: Int, hidden: Int, into gated: inout MutableSpan<Float>
) {
    requireRows(rows, of: 2 * hidden, stride: 2 * hidden, in: h.count, "h")
    requireRows(rows, of: hidden, stride: hidden, in: gated.count, "gated")
    unsafe h.withUnsafeBufferPointer { h in
        unsafe gated.withUnsafeMutableBufferPointer { gated in
            unsafe kernels_gated(gated.baseAddress, h.baseAddress, rows, hidden)
        }
    }
}

/// Backward of `gated`: writes the gradient of h over h, [rows, 2 · hidden].
///
/// - Parameter gradient: that of the result, [rows, hidden].
public func gatedBackward(
    _ h: inout MutableSpan<Float>, gradient: Span<Float>, rows: Int, hidden: Int
) {
    requireRows(rows, of: 2 * hidden, stride: 2 * hidden, in: h.count, "h")
    requireRows(rows, of: hidden, stride: hidden, in: gradient.count, "gradient")
    unsafe h.withUnsafeMutableBufferPointer { h in
        unsafe gradient.withUnsafeBufferPointer { gradient in
            unsafe kernels_gated_backward(h.baseAddress, gradient.baseAddress, rows, hidden)
        }
    }
}

/// output[rows, columns] = (y − mean) · g + r · √(w (1 − g)): the Wiener filter's answer and a
/// residual in units of the filter's own error.
///
/// - Parameters:
///   - y: [rows, columns] in the basis of the principal axes.
///   - mean: [columns].
///   - r: the residual, [rows, columns].
///   - w: [columns].
///   - s: [rows].
public func posterior(
    _ y: Span<Float>, mean: Span<Float>, r: Span<Float>, w: Span<Float>, s: Span<Float>, rows: Int,
    into output: inout MutableSpan<Float>
) {
    let columns = w.count
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    requireRows(rows, of: columns, stride: columns, in: r.count, "r")
    requireRows(rows, of: columns, stride: columns, in: output.count, "output")
    precondition(
        mean.count == columns && s.count >= rows,
        "\(mean.count) means of \(columns), \(s.count) levels of \(rows)")
    unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe y.withUnsafeBufferPointer { y in
            unsafe mean.withUnsafeBufferPointer { mean in
                unsafe r.withUnsafeBufferPointer { r in
                    unsafe w.withUnsafeBufferPointer { w in
                        unsafe s.withUnsafeBufferPointer { s in
                            unsafe kernels_posterior(
                                output.baseAddress, y.baseAddress, mean.baseAddress,
                                r.baseAddress, w.baseAddress, s.baseAddress, rows, columns)
                        }
                    }
                }
            }
        }
    }
}

/// Σ over rows of weight · Σ t² with t = y · g + r · √(w (1 − g)) − target, and its gradient by r,
/// written over r.
///
/// - Parameters:
///   - r: the residual, [rows, columns].
///   - y: noisy rows less the mean, in the basis of the principal axes, [rows, columns].
///   - target: clean rows, likewise.
///   - w: [columns].
///   - s: [rows].
///   - weights: what a row counts, [rows].
public func posteriorLoss(
    _ r: inout MutableSpan<Float>, y: Span<Float>, target: Span<Float>, w: Span<Float>,
    s: Span<Float>, weights: Span<Float>, rows: Int
) -> Double {
    let columns = w.count
    requireRows(rows, of: columns, stride: columns, in: r.count, "r")
    requireRows(rows, of: columns, stride: columns, in: y.count, "y")
    requireRows(rows, of: columns, stride: columns, in: target.count, "target")
    precondition(
        s.count >= rows && weights.count >= rows,
        "\(s.count) levels and \(weights.count) weights of \(rows)")
    var sum = 0.0
    unsafe r.withUnsafeMutableBufferPointer { r in
        unsafe y.withUnsafeBufferPointer { y in
            unsafe target.withUnsafeBufferPointer { target in
                unsafe w.withUnsafeBufferPointer { w in
                    unsafe s.withUnsafeBufferPointer { s in
                        unsafe weights.withUnsafeBufferPointer { weights in
                            unsafe kernels_posterior_loss(
                                &sum, r.baseAddress, y.baseAddress, target.baseAddress,
                                w.baseAddress, s.baseAddress, weights.baseAddress, rows, columns)
                        }
                    }
                }
            }
        }
    }
    return sum
}

/// x += y, of the same length.
public func add(_ y: Span<Float>, to x: inout MutableSpan<Float>) {
    precondition(x.count >= y.count, "\(y.count) values onto \(x.count)")
    unsafe y.withUnsafeBufferPointer { y in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe kernels_add_to(x.baseAddress, y.baseAddress, y.count)
        }
    }
}
