public import Tensors
internal import CKernels
internal import Glibc

/// The Adam optimiser (arXiv 1412.6980) with PyTorch's operation order.
///
/// Its two moments, running means of the gradient and of its square, are laid out like the
/// parameters and kept by the caller; they begin as 0.
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

    /// Moves weights `x` with the moments `m` and `v` against the gradient aᵀ · b, which is not
    /// stored.
    ///
    /// One pass over the weights instead of a product and a step on it.
    ///
    /// - Parameters:
    ///   - x: [a.columns, b.columns] without gaps, like `m` and `v`; a multiple of 64 columns.
    ///   - a: [depth, rows].
    ///   - b: [depth, columns].
    public func move(
        _ x: inout MutableSpan<Float>, _ m: inout MutableSpan<Float>,
        _ v: inout MutableSpan<Float>, gradientOf a: MatrixView, _ b: MatrixView
    ) {
        let (rows, columns, depth) = (a.columns, b.columns, a.rows)
        let (strideA, strideB) = (a.stride, b.stride)
        let count = rows * columns
        precondition(
            columns % 64 == 0 && x.count >= count && m.count >= count && v.count >= count,
            "\(x.count) weights, \(m.count) and \(v.count) moments of [\(rows), \(columns)]")
        precondition(
            !a.isTransposed && !b.isTransposed && b.rows == depth,
            "[\(a.rows), \(rows)] transposed · [\(b.rows), \(columns)]")
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe m.withUnsafeMutableBufferPointer { m in
                unsafe v.withUnsafeMutableBufferPointer { v in
                    unsafe a.values.withUnsafeBufferPointer { a in
                        unsafe b.values.withUnsafeBufferPointer { b in
                            unsafe kernels_adam_outer_product(
                                x.baseAddress, m.baseAddress, v.baseAddress, a.baseAddress, 1,
                                strideA, b.baseAddress, strideB, rows, columns, depth,
                                coefficients)
                        }
                    }
                }
            }
        }
    }
}
