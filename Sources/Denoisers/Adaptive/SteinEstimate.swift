internal import Kernels
internal import Tensors
internal import System

/// How far the rows of a request move, as all of them together show.
enum RequestStrength: Sendable, Equatable {
    /// Each row by its own confidence: the request tells nothing.
    case ownConfidence
    /// As text that the network was trained on.
    case trained
    /// By the blend of rows and answers that ranks best.
    case ranking(blend: Double)
}

/// What a request's rows show, without their clean vectors.
struct RequestEvidence: Sendable, Equatable {
    /// The blend x + ratio · (f − x) that has the least squared error.
    var ratio: Double
    /// The blend that ranks best, from 0 to 1, and its standard error.
    var blend, blendError: Double
    /// The rows' level, root of the mean square.
    var level: Double
}

extension AdaptiveParameters {
    /// How far the rows of a request move if nobody says it.
    ///
    /// - Parameters:
    ///   - x: all rows of the request.
    ///   - rows: the noisy ones.
    ///   - answers: what the network says of these.
    func requestStrength(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], answers: [Float],
        _ team: WorkerPair?
    ) -> RequestStrength {
        guard let found = evidence(x, estimate, rows, answers: answers, team) else {
            return .ownConfidence
        }
        if found.ratio >= strengths.value(strengths.accept, at: Float(found.level)) {
            return .trained
        }
        return found.blendError <= Double(strengths.evidence.error)
            ? .ranking(blend: found.blend) : .ownConfidence
    }

    /// What the rows show together by Stein's formula (Stein 1981); nil if there are too few, or their levels are too
    /// high, too low or too far apart.
    ///
    /// For Gaussian noise E[n · h(e + s n)] = s E[div h], so inner products with clean vectors that nobody has can be
    /// estimated. The divergence comes from one random direction b for each row, J b = (f(x + ε s b) − f(x)) / (ε s).
    func evidence(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], answers: [Float],
        _ team: WorkerPair? = nil
    ) -> RequestEvidence? {
        let limits = strengths.evidence
        let rows = Array(rows.prefix(limits.mostRows))
        guard rows.count >= limits.rows else { return nil }
        let levels = rows.map { estimate.levels[$0] }
        let square = levels.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(rows.count)
        let level = square.squareRoot()
        let sorted = levels.sorted()
        guard limits.levels.contains(Float(level)),
            sorted[rows.count * 9 / 10] <= limits.spread * sorted[rows.count / 10]
        else { return nil }
        var probe = RowProbe(x, estimate, rows, width: shape.width, step: limits.step)
        // Levels that lengths tell follow the probe; others do not know of it.
        let moved =
            estimate.source == .lengths
            ? ofScaleOne(probe.moved)
            : NoiseEstimate(levels: levels, scales: levels.map { _ in 1 })
        probe.follow(
            answers, moved: self.answers(probe.moved, moved, Array(rows.indices), team))
        let sums = probe.rankingSums(answers)
        let (blend, error) = bestBlend(sums, blocks: limits.blocks)
        return RequestEvidence(
            ratio: probe.ratio(answers), blend: blend, blendError: error, level: level)
    }

    /// The levels of rows whose clean vectors have length 1, by their own length.
    func ofScaleOne(_ x: [Float]) -> NoiseEstimate {
        let count = x.count / shape.width
        var squares = [Double](repeating: 0, count: count)
        var span = squares.mutableSpan
        squaredLengths(x.span, rows: count, columns: shape.width, into: &span)
        return NoiseEstimate(
            levels: squares.map { levelOfLength($0.squareRoot()) },
            scales: Array(repeating: 1, count: count))
    }
}

/// Rows and a random direction at each: where they are moved, and what the network's answer does.
private struct RowProbe {
    let width: Int
    let step: Float
    /// Noise levels, [rows].
    let levels: [Float]
    /// The rows at scale 1, [rows, width].
    let rows: [Float]
    /// +1 or −1 for each element, [rows, width].
    let directions: [Float]
    /// The rows moved by a part of their noise level along the directions, [rows, width].
    let moved: [Float]
    /// How fast the answers move along, [rows, width].
    private var slopes: [Float] = []

    init(_ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], width: Int, step: Float) {
        self.width = width
        self.step = step
        levels = rows.map { estimate.levels[$0] }
        // A stream of its own: directions that follow the noise would give another estimate.
        var random = SeededRandom(seed: 977)
        var own = [Float](repeating: 0, count: rows.count * width)
        var directions = own
        var moved = own
        for (index, row) in rows.enumerated() {
            let factor = 1 / estimate.scales[row]
            let way = step * estimate.levels[row]
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
        for row in levels.indices {
            let factor = 1 / (step * levels[row])
            for i in row * width..<(row + 1) * width {
                slopes[i] = (answersMoved[i] - answers[i]) * factor
            }
        }
    }

    /// Σ s² (width − div f) / Σ |f − x|²: at or above 1 on text like that trained on, below on other text.
    func ratio(_ answers: [Float]) -> Double {
        var (gain, way) = (0.0, 0.0)
        for row in levels.indices {
            var divergence = 0.0
            for i in row * width..<(row + 1) * width {
                divergence += Double(directions[i]) * Double(slopes[i])
                let move = Double(answers[i]) - Double(rows[i])
                way += move * move
            }
            gain += Double(levels[row]) * Double(levels[row]) * (Double(width) - divergence)
        }
        return gain / max(way, 1e-12)
    }

    /// What the correlation of scores under a blend with those of the clean rows is made of, for each row.
    ///
    /// Scores are inner products with rows of the same request, so C, by which they are measured, is the covariance of
    /// the other half of the rows less their noise.
    func rankingSums(_ answers: [Float]) -> [RankingSums] {
        let half = levels.count / 2
        var sums: [RankingSums] = []
        for (part, other) in [(0..<half, half..<levels.count), (half..<levels.count, 0..<half)] {
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
                let variance = Double(levels[row]) * Double(levels[row])
                sum.ex = sum.xx - variance * trace
                sum.ef = sum.xf - variance * slope
                sums.append(sum)
            }
        }
        return sums
    }

    /// The covariance of these rows less the mean square of their levels along the diagonal, [width, width].
    private func cleanCovariance(_ part: Range<Int>) -> [Float] {
        let count = Float(part.count)
        var mean = [Float](repeating: 0, count: width)
        for row in part { for i in 0..<width { mean[i] += rows[row * width + i] / count } }
        var centred = Array(rows[part.lowerBound * width..<part.upperBound * width])
        for row in 0..<part.count { for i in 0..<width { centred[row * width + i] -= mean[i] } }
        var covariance = [Float](repeating: 0, count: width * width)
        var span = covariance.mutableSpan
        multiply(
            centred.span, .transposed, centred.span, .none, m: width, n: width, k: part.count,
            scale: 1 / (count - 1), into: &span)
        let noise = part.reduce(Float(0)) { $0 + levels[$1] * levels[$1] } / count
        for i in 0..<width { covariance[i * width + i] -= noise }
        return covariance
    }

    private func product(_ values: [Float], _ part: Range<Int>, _ matrix: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: part.count * width)
        var span = result.mutableSpan
        multiply(
            values.span.extracting(part.lowerBound * width..<part.upperBound * width), .none,
            matrix.span, .none, m: part.count, n: width, k: width, into: &span)
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

/// The best blend for all rows, and its standard error by leaving each of some blocks of rows out once (Quenouille's
/// jackknife, as Tukey 1958 made an error of it).
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
