internal import System
import Dispatch
import Inference
import Kernels
import Tensors

extension Scenario {
    /// The yardstick of all else: what a large product reaches on every core at once.
    static let limit = Scenario(
        name: "limit", abstract: "large matrix products, one a core at once, then alone (GFLOP/s)"
    ) { _, stopwatch in
        let cores = availableCores()
        return [
            Figure(
                "sgemm_all_cores", "GFLOP/s", of: Double(cores) * LargeProduct.work,
                in: stopwatch.seconds {
                    DispatchQueue.concurrentPerform(iterations: cores) { _ in
                        LargeProduct.once()
                    }
                }),
            Figure(
                "sgemm_one_core", "GFLOP/s", of: LargeProduct.work,
                in: stopwatch.seconds { LargeProduct.once() }),
        ]
    }
}

private enum LargeProduct {
    static let size = 2048
    /// GFLOP in a product.
    static let work = 2e-9 * Double(size * size * size)
    private static let operand = Numbers.array(size * size)

    static func once() {
        var output = Matrix(rows: size, columns: size)
        let x = MatrixView(operand.span, rows: size, columns: size)
        multiply(x, x.transposed, into: output.mutableView)
    }
}
