internal import CKernels
internal import Glibc

/// The Adam optimiser (arXiv 1412.6980) with PyTorch's operation order, over one flat parameter buffer.
public struct Adam: ~Copyable {
    /// Running means of the gradient and of its square: [2, count].
    private var moments: Matrix
    private var steps = 0
    private let rate, beta1, beta2: Double
    private let epsilon: Float

    /// Moments for `count` parameters, zero at the start.
    public init(
        count: Int, rate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
        epsilon: Float = 1e-8
    ) {
        moments = Matrix(rows: 2, columns: count)
        self.rate = rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    /// Moves `parameters` one step against `gradient`.
    public mutating func step(_ parameters: inout MutableSpan<Float>, gradient: Span<Float>) {
        let count = moments.columns
        precondition(
            parameters.count == count && gradient.count == count,
            "\(parameters.count) parameters, \(gradient.count) gradients, \(count) moments")
        steps += 1
        let stepSize = Float(rate / (1 - pow(beta1, Double(steps))))
        let rootCorrection = Float((1 - pow(beta2, Double(steps))).squareRoot())
        let (rest1, second, rest2) = (Float(1 - beta1), Float(beta2), Float(1 - beta2))
        let epsilon = epsilon
        var moments = moments.mutableSpan
        unsafe parameters.withUnsafeMutableBufferPointer { x in
            unsafe gradient.withUnsafeBufferPointer { gradient in
                unsafe moments.withUnsafeMutableBufferPointer { moments in
                    unsafe ck_adam(
                        x.baseAddress, gradient.baseAddress, moments.baseAddress,
                        moments.baseAddress.map { unsafe $0 + count }, stepSize, rootCorrection,
                        rest1, second, rest2, epsilon, count)
                }
            }
        }
    }
}
