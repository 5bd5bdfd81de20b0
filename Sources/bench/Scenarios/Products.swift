import Kernels
import Tensors

extension Scenario {
    /// The encoder's three shapes of product, by rows.
    static let products = Scenario(
        name: "products",
        abstract: "x[rows, in] · weight[out, in] transposed, on one core, by rows (GFLOP/s)"
    ) { _, stopwatch in
        var figures: [Figure] = []
        for (input, output) in [(384, 384), (384, 1536), (1536, 384)] {
            let weight = Numbers.array(output * input)
            for rows in [1, 4, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512, 1024] {
                let x = Numbers.array(rows * input)
                var y = Matrix(rows: rows, columns: output)
                let seconds = stopwatch.seconds {
                    multiply(
                        MatrixView(x.span, rows: rows, columns: input),
                        MatrixView(weight.span, rows: output, columns: input).transposed,
                        into: y.mutableView)
                }
                figures.append(
                    Figure(
                        "rows_\(rows)_in_\(input)_out_\(output)", "GFLOP/s",
                        of: 2e-9 * Double(rows * input * output), in: seconds))
            }
        }
        return figures
    }
}
