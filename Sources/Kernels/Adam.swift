internal import CKernels
internal import Glibc

/// The Adam optimiser (arXiv 1412.6980) with PyTorch's operation order.
///
/// Its two moments, running means of the gradient and of its square, are laid out like the parameters
/// and kept by the caller; they begin as 0.
public struct Adam: Sendable {
    private let rate, beta1, beta2: Double
    private let epsilon: Float

    /// The optimiser's settings; the defaults are PyTorch's.
    public init(
        rate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Float = 1e-8
    ) {
        self.rate = rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    /// What step number `number`, from 1, does to every parameter.
    public func step(_ number: Int) -> AdamStep {
        precondition(number > 0, "step \(number)")
        let correction1 = 1 - pow(beta1, Double(number))
        let correction2 = 1 - pow(beta2, Double(number))
        return AdamStep(
            coefficients: kernels_adam_step(
                size: Float(rate / correction1),
                over_root_correction2: Float(1 / correction2.squareRoot()),
                rest1: Float(1 - beta1), rest2: Float(1 - beta2), beta2: Float(beta2),
                epsilon: epsilon))
    }
}

/// One step of Adam, with the number of steps behind it settled.
public struct AdamStep: Sendable {
    let coefficients: kernels_adam_step

    /// Moves parameters `x` with the moments `m` and `v` against `gradient`.
    public func move(
        _ x: inout MutableSpan<Float>, _ m: inout MutableSpan<Float>,
        _ v: inout MutableSpan<Float>, gradient: Span<Float>
    ) {
        let count = gradient.count
        precondition(
            x.count >= count && m.count >= count && v.count >= count,
            "\(x.count) parameters, \(m.count) and \(v.count) moments, \(count) gradients")
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe m.withUnsafeMutableBufferPointer { m in
                unsafe v.withUnsafeMutableBufferPointer { v in
                    unsafe gradient.withUnsafeBufferPointer { gradient in
                        unsafe kernels_adam(
                            x.baseAddress, m.baseAddress, v.baseAddress, gradient.baseAddress,
                            count, coefficients)
                    }
                }
            }
        }
    }

    /// Moves weights `x` [rows, columns] against the gradient aᵀ · b, with a [depth, rows] and
    /// b [depth, columns], which is not stored.
    ///
    /// One pass over the weights instead of a product and `move`: a training step of the denoiser takes
    /// 102 µs so and 107 with BLAS and `move` (one AVX-512 core).
    ///
    /// - Parameters:
    ///   - columns: a multiple of 64.
    ///   - strideA: elements from one row of `a` to the next.
    public func move(
        _ x: inout MutableSpan<Float>, _ m: inout MutableSpan<Float>,
        _ v: inout MutableSpan<Float>, gradientOf a: Span<Float>, strideA: Int, _ b: Span<Float>,
        rows: Int, columns: Int, depth: Int
    ) {
        let count = rows * columns
        precondition(
            columns % 64 == 0 && x.count >= count && m.count >= count && v.count >= count,
            "\(x.count) weights, \(m.count) and \(v.count) moments of [\(rows), \(columns)]")
        requireRows(depth, of: rows, stride: strideA, in: a.count, "a")
        requireRows(depth, of: columns, stride: columns, in: b.count, "b")
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe m.withUnsafeMutableBufferPointer { m in
                unsafe v.withUnsafeMutableBufferPointer { v in
                    unsafe a.withUnsafeBufferPointer { a in
                        unsafe b.withUnsafeBufferPointer { b in
                            unsafe kernels_adam_outer_product(
                                x.baseAddress, m.baseAddress, v.baseAddress, a.baseAddress, 1,
                                strideA, b.baseAddress, columns, rows, columns, depth, coefficients)
                        }
                    }
                }
            }
        }
    }
}
