internal import Kernels
internal import System

extension AdaptiveParameters {
    /// Rows by which Stein's estimate judges; with fewer its own error is too wide.
    static let steinRows = 512

    /// How far all rows move: `indomain` if Stein's estimate takes their text for one trained on; nil, each by its own
    /// confidence, if it does not or cannot tell.
    func profile(
        for x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], answers: [Float],
        _ team: WorkerPair?
    ) -> AdaptiveProfile? {
        guard rows.count >= Self.steinRows else { return nil }
        let judged = Array(rows[..<Self.steinRows])
        let square = judged.reduce(0) { $0 + Double(estimate.levels[$1] * estimate.levels[$1]) }
        guard let bound = strengths.bound(at: (square / Double(judged.count)).squareRoot())
        else { return nil }
        let ratio = steinRatio(x, estimate, judged, answers: answers, team)
        return ratio >= bound ? .indomain : nil
    }

    /// The amount a by which x + a · (f − x) has the least squared error over these rows, without their clean vectors:
    /// Σ s² (width − div f) / Σ |f − x|².
    ///
    /// Stein's unbiased estimate of risk (Stein 1981), the divergence of f by one random direction for each row. At or
    /// above 1 on text like that trained on, below on other text.
    ///
    /// - Parameters:
    ///   - x: all rows of the request.
    ///   - rows: those to judge by.
    ///   - answers: what the network says of them, from the first on.
    func steinRatio(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], answers: [Float],
        _ team: WorkerPair? = nil
    ) -> Double {
        let width = shape.width
        let directions = addingNoise(
            to: [Float](repeating: 0, count: rows.count * width), noiseLevel: 1, seed: 977)
        var probes = directions
        for (index, row) in rows.enumerated() {
            let step = 0.01 * estimate.levels[row]
            let factor = 1 / estimate.scales[row]
            for i in 0..<width {
                let value = Float(Double(x[row * width + i]) * factor)
                probes[index * width + i] = value + step * directions[index * width + i]
            }
        }
        let moved = self.answers(probes, ofScaleOne(probes), Array(rows.indices), team)
        var (gain, way) = (0.0, 0.0)
        for (index, row) in rows.enumerated() {
            let level = Double(estimate.levels[row])
            let factor = 1 / estimate.scales[row]
            var divergence = 0.0
            for i in index * width..<(index + 1) * width {
                let answer = Double(answers[i])
                divergence += Double(directions[i]) * (Double(moved[i]) - answer)
                let move = answer - Double(x[row * width + i - index * width]) * factor
                way += move * move
            }
            gain += level * level * (Double(width) - divergence / (0.01 * level))
        }
        return gain / max(way, 1e-12)
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
