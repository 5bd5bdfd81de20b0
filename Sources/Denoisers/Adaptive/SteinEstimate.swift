internal import Kernels
internal import Tensors
internal import System

/// How far the rows of a request move.
enum RequestStrength: Sendable, Equatable {
    /// By a table, whatever the rows show.
    case profile(AdaptiveProfile)
    /// By the blend of rows and answers that ranks best, or one nearer to the rows.
    case ranking(blend: Double)
}

extension StrengthTables {
    /// The amount for rows at `level`.
    func amount(_ strength: RequestStrength, at level: Float) -> Double {
        switch strength {
        case .profile(let profile): amount(profile, at: level)
        case .ranking(let blend): amount(at: level, rankingBlend: blend)
        }
    }
}

extension AdaptiveParameters {
    /// How far the rows of a request move if nobody says it.
    ///
    /// Rows that move by different amounts lose neighbours: those with less noise left become
    /// everybody's. So all rows of one level move by one amount. If many rows show that the answers
    /// rank well, it is more than `safe`.
    ///
    /// - Parameters:
    ///   - x: all rows of the request.
    ///   - rows: the noisy ones.
    ///   - answers: what the network says of these.
    func requestStrength(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], answers: [Float],
        _ team: WorkerPair?
    ) -> RequestStrength {
        guard let level = estimate.commonLevel,
            let best = rankingBlend(x, estimate, level, rows, answers: answers, team)
        else { return .profile(.safe) }
        return .ranking(blend: best.blend - Double(strengths.evidence.errors) * best.error)
    }

    /// The blend x + t · (f − x) by whose inner products the rows rank best, and the standard error
    /// of t; nil if there are too few rows, or their level is too high or too low.
    ///
    /// By Stein's formula (Stein 1981) E[n · h(e + s n)] = s E[div h] for Gaussian noise, so inner
    /// products with clean vectors that nobody has can be estimated. The divergence comes from one
    /// random direction b for each row, J b = (f(x + ε s b) − f(x)) / (ε s).
    func rankingBlend(
        _ x: [Float], _ estimate: NoiseEstimate, _ level: Float, _ rows: [Int],
        answers: [Float], _ team: WorkerPair? = nil
    ) -> (blend: Double, error: Double)? {
        let limits = strengths.evidence
        let rows = Array(rows.prefix(limits.mostRows))
        guard limits.levels.contains(level), rows.count >= limits.rows(at: level) else {
            return nil
        }
        var probe = RowProbe(x, estimate, level, rows, width: shape.width, step: limits.step)
        probe.follow(
            answers,
            moved: self.answers(
                probe.moved, NoiseEstimate(level: level, rows: rows.count), Array(rows.indices),
                team))
        return bestBlend(probe.rankingSums(answers), blocks: limits.blocks)
    }
}

/// Rows of one level, each moved along a random direction, and how fast the network's answers
/// change on the way.
private struct RowProbe {
    let width: Int
    let step: Float
    /// The rows' noise level.
    let level: Float
    /// The rows at scale 1, [rows, width].
    let rows: [Float]
    /// +1 or −1 for each element, [rows, width].
    let directions: [Float]
    /// The rows moved by a part of their noise level along the directions, [rows, width].
    let moved: [Float]
    /// How fast the answers move along, [rows, width].
    private var slopes: [Float] = []

    private var count: Int { rows.count / width }

    init(
        _ x: [Float], _ estimate: NoiseEstimate, _ level: Float, _ rows: [Int], width: Int,
        step: Float
    ) {
        self.width = width
        self.step = step
        self.level = level
        // A stream of its own: directions that follow the noise would give another estimate.
        var random = SeededRandom(seed: 977)
        var own = [Float](repeating: 0, count: rows.count * width)
        var directions = own
        var moved = own
        let way = step * level
        for (index, row) in rows.enumerated() {
            let factor = 1 / estimate.scales[row]
            var bits: UInt64 = 0
            for i in 0..<width {
                if i % 64 == 0 { bits = random.next() }
                let place = index * width + i
                let direction: Float = bits >> UInt64(i % 64) & 1 == 0 ? -1 : 1
                own[place] = Float(Double(x[row * width + i]) * factor)
                directions[place] = direction
                moved[place] = own[place] + way * direction
            }
        }
        self.rows = own
        self.directions = directions
        self.moved = moved
    }

    /// Takes what the network says of the rows, which `answers` begin with, and of the moved ones.
    mutating func follow(_ answers: [Float], moved answersMoved: [Float]) {
        slopes = answersMoved
        let factor = 1 / (step * level)
        for i in slopes.indices { slopes[i] = (answersMoved[i] - answers[i]) * factor }
    }

    /// What the correlation of scores under a blend with those of the clean rows is made of, for
    /// each row.
    ///
    /// Scores are inner products with rows of the same request, so C, by which they are measured,
    /// is the covariance of the other half of the rows less their noise.
    func rankingSums(_ answers: [Float]) -> [RankingSums] {
        let half = count / 2
        let variance = Double(level) * Double(level)
        var sums: [RankingSums] = []
        for (part, other) in [(0..<half, half..<count), (half..<count, 0..<half)] {
            let covariance = cleanCovariance(other)
            let trace = (0..<width).reduce(0.0) { $0 + Double(covariance[$1 * width + $1]) }
            let (xC, fC, bC) = (
                product(rows, part, covariance), product(answers, part, covariance),
                product(directions, part, covariance)
            )
            for (index, row) in part.enumerated() {
                var sum = RankingSums()
                var slope = 0.0
                for i in 0..<width {
                    let (place, element) = (row * width + i, index * width + i)
                    let (x, f) = (Double(rows[place]), Double(answers[place]))
                    sum.xx += Double(xC[element]) * x
                    sum.xf += Double(xC[element]) * f
                    sum.ff += Double(fC[element]) * f
                    slope += Double(bC[element]) * Double(slopes[place])
                }
                sum.ex = sum.xx - variance * trace
                sum.ef = sum.xf - variance * slope
                sums.append(sum)
            }
        }
        return sums
    }

    /// The covariance of these rows less their noise along the diagonal, [width, width].
    private func cleanCovariance(_ part: Range<Int>) -> [Float] {
        let count = Float(part.count)
        var mean = [Float](repeating: 0, count: width)
        for row in part { for i in 0..<width { mean[i] += rows[row * width + i] / count } }
        var centred = Array(rows[part.lowerBound * width..<part.upperBound * width])
        for row in 0..<part.count { for i in 0..<width { centred[row * width + i] -= mean[i] } }
        var covariance = [Float](repeating: 0, count: width * width)
        var span = covariance.mutableSpan
        let view = MatrixView(centred.span, rows: part.count, columns: width)
        multiply(
            view.transposed, view, scale: 1 / (count - 1),
            into: MutableMatrixView(&span, rows: width, columns: width))
        for i in 0..<width { covariance[i * width + i] -= level * level }
        return covariance
    }

    private func product(_ values: [Float], _ part: Range<Int>, _ matrix: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: part.count * width)
        var span = result.mutableSpan
        multiply(
            MatrixView(
                values.span.extracting(part.lowerBound * width..<part.upperBound * width),
                rows: part.count, columns: width),
            MatrixView(matrix.span, rows: width, columns: width),
            into: MutableMatrixView(&span, rows: part.count, columns: width))
        return result
    }
}

/// Estimates of inner products of a row x, the answer f and the unknown clean row e, in one metric.
struct RankingSums {
    var ex = 0.0
    var ef = 0.0
    var xx = 0.0
    var xf = 0.0
    var ff = 0.0

    static func + (a: RankingSums, b: RankingSums) -> RankingSums {
        RankingSums(
            ex: a.ex + b.ex, ef: a.ef + b.ef, xx: a.xx + b.xx, xf: a.xf + b.xf, ff: a.ff + b.ff)
    }

    /// The t from 0 to 1 for which scores under (1 − t) x + t f correlate most with those under e.
    var best: Double {
        let (top, rest) = (ef * xx - ex * xf, ex * ff - ef * xf)
        return top <= 0 ? 0 : rest <= 0 ? 1 : top / (top + rest)
    }
}

/// The best blend for all rows, and its standard error by leaving each of some blocks of rows out
/// once (Quenouille's jackknife, as Tukey 1958 made an error of it).
func bestBlend(_ rows: [RankingSums], blocks: Int) -> (blend: Double, error: Double) {
    func total(_ rows: some Sequence<RankingSums>) -> RankingSums {
        rows.reduce(RankingSums(), +)
    }
    let left = (0..<blocks).map { block in
        let out = chunk(block, of: blocks, in: rows.count)
        return (total(rows[..<out.lowerBound]) + total(rows[out.upperBound...])).best
    }
    let mean = left.reduce(0, +) / Double(blocks)
    let squares = left.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let factor = Double(blocks - 1) / Double(blocks)
    return (total(rows).best, (factor * squares).squareRoot())
}
