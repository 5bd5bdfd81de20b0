import Kernels
import Tensors

extension Scenario {
    /// What lies between the products.
    static let elementwise = Scenario(
        name: "elementwise", abstract: "GELU and layer norm of 512 tokens (ns an element)"
    ) { _, stopwatch in
        [geluFigure(stopwatch), layerNormFigure(stopwatch)]
    }

    private static func geluFigure(_ stopwatch: Stopwatch) -> Figure {
        let (rows, columns) = (512, 1536)
        let bias = Numbers.array(columns)
        var values = Matrix(rows: rows, columns: columns)
        let seconds = stopwatch.seconds {
            gelu(values.mutableView, adding: bias.span)
        }
        return Figure("gelu", "ns", seconds.map { $0 * 1e9 / Double(rows * columns) })
    }

    private static func layerNormFigure(_ stopwatch: Stopwatch) -> Figure {
        let (rows, columns) = (512, 384)
        let addend = Numbers.array(rows * columns)
        let ones = [Float](repeating: 1, count: columns)
        let zeros = [Float](repeating: 0, count: columns)
        var values = Matrix(rows: rows, columns: columns)
        let seconds = stopwatch.seconds {
            addLayerNorm(
                values.mutableView,
                adding: MatrixView(addend.span, rows: rows, columns: columns), bias: zeros.span,
                gain: ones.span, shift: zeros.span, epsilon: 1e-12)
        }
        return Figure("layer_norm", "ns", seconds.map { $0 * 1e9 / Double(rows * columns) })
    }
}
