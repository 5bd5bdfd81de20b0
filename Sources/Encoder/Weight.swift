internal import Kernels
internal import Tensors

/// How the weights of linear maps lie in memory, which settles how their product is computed.
public enum WeightLayout: Sendable {
    /// [out, in], as a checkpoint has them.
    case plain
    /// Six rows interleaved (see `PackedWeight`), which makes texts faster.
    case packed

    /// The shape of a weight [out, in] in this layout; nil if it cannot lie so.
    func shape(out: Int, in columns: Int) -> [Int]? {
        switch self {
        case .plain: [out, columns]
        case .packed: PackedWeight.shape(out: out, in: columns)
        }
    }

    /// Why a weight of `out` rows cannot lie so.
    func refusal(out: Int) -> String {
        "\(out) rows, packed are multiples of \(PackedWeight.rows)"
    }

    /// Threads divide the columns of a product at multiples of this: whole cache lines of a row,
    /// which are 16 floats, and whole sixes of packed weights.
    var columnUnit: Int { 48 }

    /// Heads of `size` columns whose columns are a whole number of units.
    func headUnit(of size: Int) -> Int {
        (1...columnUnit).first { ($0 * size).isMultiple(of: columnUnit) } ?? columnUnit
    }

    /// Floats of scratch that a thread needs for products of up to `rows` rows.
    func scratch(rows: Int) -> Int {
        switch self {
        case .plain: 0
        case .packed: Panels.count(rows: min(rows, Self.rowsAtOnce))
        }
    }

    /// Rows whose panels stay in the second-level cache while a packed weight passes.
    private static let rowsAtOnce = 128

    /// output = x · weightᵀ, these columns of it, for every one of `projections`.
    func project(
        _ x: MatrixView, columns: Range<Int>, _ projections: [Projection],
        scratch: inout MutableSpan<Float>
    ) {
        switch self {
        case .plain:
            for projection in projections {
                multiply(
                    x, projection.weight.rows(columns).transposed,
                    into: projection.output(rows: 0..<x.rows, columns: columns))
            }
        case .packed:
            for start in stride(from: 0, to: x.rows, by: Self.rowsAtOnce) {
                let rows = start..<min(start + Self.rowsAtOnce, x.rows)
                projectPacked(x, rows, columns, projections, &scratch)
            }
        }
    }

    /// Packs the rows of x part by part, each part once for all projections.
    private func projectPacked(
        _ x: MatrixView, _ rows: Range<Int>, _ columns: Range<Int>, _ projections: [Projection],
        _ scratch: inout MutableSpan<Float>
    ) {
        for start in stride(from: 0, to: x.columns, by: Panels.mostDepth) {
            let depth = start..<min(start + Panels.mostDepth, x.columns)
            let panels = Panels(x.rows(rows), depth: depth, in: &scratch)
            for projection in projections {
                multiply(
                    panels, sixes: projection.weight.sixes(columns), adding: start > 0,
                    into: projection.output(rows: rows, columns: columns))
            }
        }
    }
}

/// The weight of a linear map, [out, in], in one of the layouts.
struct Weight: Sendable {
    /// Outputs and inputs of the map.
    let out, columns: Int

    private let tensor: Tensor

    /// The weight that lies in `tensor`.
    init(_ tensor: Tensor, out: Int, in columns: Int) {
        precondition(tensor.count == out * columns, "\(tensor.shape) for [\(out), \(columns)]")
        self.tensor = tensor
        self.out = out
        self.columns = columns
    }

    /// Rows of a plain weight.
    @_lifetime(borrow self)
    fileprivate func rows(_ range: Range<Int>) -> MatrixView {
        MatrixView(tensor.span, rows: out, columns: columns).rows(range)
    }

    /// Rows of a packed weight, seen as sixes [rows / 6, columns · 6].
    @_lifetime(borrow self)
    fileprivate func sixes(_ range: Range<Int>) -> MatrixView {
        let six = PackedWeight.rows
        return MatrixView(tensor.span, rows: out / six, columns: columns * six)
            .rows(range.lowerBound / six..<range.upperBound / six)
    }
}

/// A product with a weight, and its place.
struct Projection {
    let weight: Weight

    private let matrix: SharedMatrix
    /// Elements from one column to the next, if the output lies transposed.
    private let columnStride: Int?

    /// A product whose rows become those of `matrix`.
    init(_ weight: Weight, into matrix: SharedMatrix) {
        self.weight = weight
        self.matrix = matrix
        columnStride = nil
    }

    /// A product whose columns become rows of `matrix`, which lie `stride` apart.
    init(_ weight: Weight, transposedInto matrix: SharedMatrix, stride: Int) {
        self.weight = weight
        self.matrix = matrix
        columnStride = stride
    }

    /// The place of some rows and columns of the product.
    @_lifetime(borrow self)
    fileprivate func output(rows: Range<Int>, columns: Range<Int>) -> MutableMatrixView {
        guard let columnStride else {
            return unsafe matrix.mutableView(rows: rows, columns: columns)
        }
        return unsafe matrix.mutableView(
            from: columns.lowerBound * columnStride + rows.lowerBound, rows: columns.count,
            columns: rows.count, stride: columnStride
        ).transposed()
    }
}
