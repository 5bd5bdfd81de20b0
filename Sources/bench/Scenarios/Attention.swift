import Kernels
import Tensors

extension Scenario {
    /// Scores, softmax and context of one sequence.
    static let attention = Scenario(
        name: "attention",
        abstract: "12 heads of 32, by the sequence's length (GFLOP/s, products only)"
    ) { _, stopwatch in
        [8, 16, 32, 64, 128, 256].map { length in
            let heads = 12
            let columns = heads * attentionHeadSize
            let keyStride = ((length + 15) / 16 | 1) * 16
            let keys = Numbers.array(columns * keyStride + attentionKeySlack)
            let values = Numbers.array(length * columns)
            let bias = Numbers.array(columns)
            var query = Matrix(rows: length, columns: columns)
            var scratch = Matrix(rows: 1, columns: attentionScratch(length: length))
            var scratchSpan = scratch.mutableSpan
            let seconds = stopwatch.seconds {
                Kernels.attention(
                    query.mutableView,
                    keys: MatrixView(
                        keys.span, rows: columns, columns: length, stride: keyStride),
                    values: MatrixView(values.span, rows: length, columns: columns),
                    queryBias: bias.span, valueBias: bias.span, scratch: &scratchSpan)
            }
            return Figure(
                "length_\(length)", "GFLOP/s", of: 4e-9 * Double(length * length * columns),
                in: seconds)
        }
    }
}
