internal import Glibc
internal import Kernels
internal import Tensors

/// The noise level of a row of which only the direction is known.
///
/// Maximum likelihood over a grid of levels. At level s a row u of length 1 stands for k · u, with
/// k = √(1 + d s²), drawn from N(mu, U diag(w + s²) Uᵀ). The volume element is k^d. The sum is made
/// along the axes U.
struct BlindTables: Sendable {
    /// The levels that are compared.
    static let grid: [Float] = [
        0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.085, 0.1, 0.12, 0.14, 0.16,
        0.18, 0.2, 0.23, 0.26, 0.3, 0.35, 0.4,
    ]

    /// Training keeps variances at or above this, so one hardly above it belongs to an axis without
    /// any.
    private static let flatVariance: Float = 2.1e-5

    /// The variance of such an axis, which the rounding of floats leaves.
    private static let roundingVariance: Float = 1e-8

    /// k of every level, [levels].
    let factors: [Float]
    /// 1 / (w + s²), [levels, width].
    let precisions: [Float]
    /// d ln k − ½ Σ ln(w + s²), [levels].
    let constants: [Double]

    init(variances: Span<Float>) {
        let width = variances.count
        var factors: [Float] = []
        var precisions: [Float] = []
        var constants: [Double] = []
        for level in Self.grid {
            let square = Double(level) * Double(level)
            let factor = (1 + Double(width) * square).squareRoot()
            var constant = Double(width) * log(factor)
            for i in variances.indices {
                let w =
                    variances[i] <= Self.flatVariance ? Self.roundingVariance : variances[i]
                let variance = Double(w) + square
                precisions.append(Float(1 / variance))
                constant -= log(variance) / 2
            }
            factors.append(Float(factor))
            constants.append(constant)
        }
        self.factors = factors
        self.precisions = precisions
        self.constants = constants
    }
}

/// How likely each level of the grid is for some rows of which only the direction is known.
struct BlindLikelihoods: Sendable {
    private static let count = BlindTables.grid.count
    /// Logarithms, up to a constant, [rows, levels].
    private let values: [Double]

    /// The number of rows.
    var rows: Int { values.count / Self.count }

    init(values: [Double]) { self.values = values }

    /// The most likely level of row `row`.
    func best(_ row: Int) -> Float { BlindTables.grid[place(row)] }

    /// By how much the likelihood of row `row` at `level` is below its highest.
    func loss(_ row: Int, at level: Float) -> Double {
        values[row * Self.count + place(row)] - value(row, at: level)
    }

    /// The likelihood of row `row` at `level`, between two levels of the grid linearly.
    func value(_ row: Int, at level: Float) -> Double {
        let grid = BlindTables.grid
        let start = row * Self.count
        guard let next = grid.firstIndex(where: { $0 >= level }) else {
            return values[start + Self.count - 1]
        }
        guard next > 0 else { return values[start] }
        let part = Double((level - grid[next - 1]) / (grid[next] - grid[next - 1]))
        return values[start + next - 1] * (1 - part) + values[start + next] * part
    }

    /// The level that is likeliest for all rows together, and how much likelier, in nats, each
    /// row's own level is on average.
    ///
    /// It is the vertex of the parabola through the three levels around the highest sum.
    var together: (level: Float, loss: Double) {
        let grid = BlindTables.grid
        var sums = [Double](repeating: 0, count: Self.count)
        var highest = 0.0
        for row in 0..<rows {
            for level in 0..<Self.count { sums[level] += values[row * Self.count + level] }
            highest += values[row * Self.count + place(row)]
        }
        let best = sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
        let loss = (highest - sums[best]) / Double(max(rows, 1))
        guard 0 < best, best < Self.count - 1 else { return (grid[best], loss) }
        let levels = grid[best - 1...best + 1].map { Double($0) }
        let left = (sums[best] - sums[best - 1]) / (levels[1] - levels[0])
        let right = (sums[best + 1] - sums[best]) / (levels[2] - levels[1])
        let bend = (right - left) / (levels[2] - levels[0])
        guard bend < 0 else { return (grid[best], loss) }
        let vertex = (levels[0] + levels[1]) / 2 - left / (2 * bend)
        return (Float(min(max(vertex, levels[0]), levels[2])), loss)
    }

    private func place(_ row: Int) -> Int {
        let start = row * Self.count
        return (0..<Self.count).reduce(0) {
            values[start + $1] > values[start + $0] ? $1 : $0
        }
    }
}

extension AdaptiveParameters {
    /// How likely the levels are for `rows`, which have length 1; [rows, width].
    func blindLikelihoods(_ rows: Span<Float>) -> BlindLikelihoods {
        let width = shape.width
        let count = rows.count / width
        let block = min(mostFewRows, max(count, 1))
        let grid = BlindTables.grid.count
        var onAxes = Matrix(rows: block, columns: width)
        var distances = Matrix(rows: block, columns: grid)
        var values: [Double] = []
        values.reserveCapacity(count * grid)
        let (axes, meanOnAxes, blind) = (axes, meanOnAxes, blind)
        for start in stride(from: 0, to: count, by: block) {
            let part = min(block, count - start)
            onAxes.rows = part
            distances.rows = part
            var products = onAxes.mutableSpan
            multiply(
                MatrixView(
                    rows.extracting(start * width..<(start + part) * width), rows: part,
                    columns: width),
                MatrixView(axes.span, rows: width, columns: width),
                into: MutableMatrixView(&products, rows: part, columns: width))
            var sums = distances.mutableSpan
            weightedDistances(
                onAxes.span, mean: meanOnAxes.span, factors: blind.factors.span,
                precisions: blind.precisions.span, rows: part, into: &sums)
            for row in 0..<part {
                for level in 0..<grid {
                    values.append(blind.constants[level] - Double(sums[row * grid + level]) / 2)
                }
            }
        }
        return BlindLikelihoods(values: values)
    }
}
