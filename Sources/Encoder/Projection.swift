internal import Kernels
internal import Tensors

/// A product with a weight, and where it goes.
struct Projection {
    /// [out, in], or the same packed.
    let weight: Tensor
    let output: SharedMatrix
    let order: OutputOrder

    init(_ weight: Tensor, _ output: SharedMatrix, _ order: OutputOrder = .rows) {
        self.weight = weight
        self.output = output
        self.order = order
    }
}

extension ForwardPass {
    /// output = input · weightᵀ, these columns of it, for every one of `projections`, on thread number `thread`.
    func project(
        _ input: SharedMatrix, _ columns: Range<Int>, _ thread: Int, _ projections: Projection...
    ) {
        if let panels = buffers.panels {
            projectPacked(input, columns, projections, through: panels, thread)
        } else {
            for projection in projections { projectPlain(input, columns, projection) }
        }
    }

    /// Packs the input part by part, each once for all projections.
    private func projectPacked(
        _ input: SharedMatrix, _ columns: Range<Int>, _ projections: [Projection],
        through panels: SharedMatrix, _ thread: Int
    ) {
        var all = unsafe panels.mutableSpan(from: thread * panels.columns)
        var packed = all._mutatingExtracting(first: panels.columns)
        for start in stride(from: 0, to: tokens, by: Self.rowsAtOnce) {
            let rows = min(Self.rowsAtOnce, tokens - start)
            for from in stride(from: 0, to: input.columns, by: panelDepth) {
                let depth = from..<min(from + panelDepth, input.columns)
                packRows(
                    input.span(from: start * input.columns), depth: depth, stride: input.columns,
                    rows: rows, into: &packed)
                for projection in projections {
                    let (first, stride) = place(of: columns, from: start, projection)
                    var output = unsafe projection.output.mutableSpan(from: first)
                    multiply(
                        panels: packed.span, depth: depth, weight(projection, columns, input),
                        weightColumns: input.columns, rows: rows, columns: columns.count,
                        adding: from > 0, order: projection.order, stride: stride, into: &output)
                }
            }
        }
    }

    /// Rows whose panels (200 KB) stay in the second-level cache while weights pass; more were not faster.
    static let rowsAtOnce = 128

    private func projectPlain(
        _ input: SharedMatrix, _ columns: Range<Int>, _ projection: Projection
    ) {
        let (first, stride) = place(of: columns, from: 0, projection)
        var output = unsafe projection.output.mutableSpan(from: first)
        let weight = weight(projection, columns, input)
        switch projection.order {
        case .rows:
            multiply(
                rows(input), .none, weight, .transposed,
                m: tokens, n: columns.count, k: input.columns, strideOutput: stride, into: &output)
        case .columns:
            // Operands exchanged: the product comes out transposed.
            multiply(
                weight, .none, rows(input), .transposed,
                m: columns.count, n: tokens, k: input.columns, strideOutput: stride, into: &output)
        }
    }

    /// Where these columns of the output begin in row `row`, and how far a row is from the next, or a column.
    private func place(
        of columns: Range<Int>, from row: Int, _ projection: Projection
    ) -> (first: Int, stride: Int) {
        switch projection.order {
        case .rows:
            let stride = projection.output.columns
            return (row * stride + columns.lowerBound, stride)
        case .columns:
            let stride = EncoderBuffers.keyStride(tokens: tokens)
            return (columns.lowerBound * stride + row, stride)
        }
    }

    /// The rows of the weight that give these columns; packed or not, they lie together.
    @_lifetime(borrow projection)
    private func weight(
        _ projection: borrowing Projection, _ columns: Range<Int>, _ input: SharedMatrix
    ) -> Span<Float> {
        projection.weight.span.extracting(
            columns.lowerBound * input.columns..<columns.upperBound * input.columns)
    }
}
