internal import Kernels
internal import Tensors
public import System

/// Denoised rows, and what was found out about them.
public struct AdaptiveAnswer: Sendable {
    /// [rows, width].
    public var values: [Float]
    /// How noisy the rows were taken to be.
    public var estimate: NoiseEstimate
    /// Rows that differ from what came.
    public var movedRows: Int
}

extension AdaptiveParameters {
    /// Denoises `x`: x + a · (k · f − x), with the row's scale k, the network's answer f and the
    /// amount a of its strength.
    ///
    /// A row of level 0 comes back to the bit. No row moves further than the length that its level
    /// gives its noise, and a row whose answer is not finite does not move.
    ///
    /// - Parameters:
    ///   - x: [rows, width].
    ///   - noise: every row's noise level; nil to estimate it (`estimateNoise`).
    ///   - profile: how far rows move; nil to decide that by the rows (`StrengthTables`,
    ///     `requestStrength`).
    ///   - team: a second thread for many rows; the result is the same without it, to the bit.
    public func denoise(
        _ x: [Float], noise: Float? = nil, profile: AdaptiveProfile? = nil,
        team: WorkerPair? = nil
    ) -> AdaptiveAnswer {
        let estimate = estimateNoise(x.span, given: noise)
        let rows = estimate.levels.indices.filter { estimate.levels[$0] > 0 }
        guard !rows.isEmpty else {
            return AdaptiveAnswer(values: x, estimate: estimate, movedRows: 0)
        }
        var values = answers(x, estimate, rows, team)
        let isWhole = rows.count == estimate.levels.count
        let strength =
            profile.map { .profile($0) }
            ?? requestStrength(x, estimate, rows, answers: values, team)
        let moved = move(
            &values, from: isWhole ? x : gathered(x, rows), estimate, rows, by: strength)
        guard !isWhole else {
            return AdaptiveAnswer(values: values, estimate: estimate, movedRows: moved)
        }
        var all = x
        for (index, row) in rows.enumerated() {
            let place = row * shape.width
            for i in 0..<shape.width { all[place + i] = values[index * shape.width + i] }
        }
        return AdaptiveAnswer(values: all, estimate: estimate, movedRows: moved)
    }

    /// What the network says of `rows` of `x`, at scale 1; [rows.count, width].
    func answers(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: [Int], _ team: WorkerPair? = nil
    ) -> [Float] {
        guard team != nil, rows.count >= Self.rowsToShare else {
            return answers(x, estimate, rows[...])
        }
        // An even number, so that neither thread waits for the other's last piece.
        let count = 2 * min(8, max(1, rows.count / (2 * Self.rowsOfPiece)))
        let pieces = parallelMap(count, on: team) { piece in
            answers(x, estimate, rows[chunk(piece, of: count, in: rows.count)])
        }
        var all: [Float] = []
        all.reserveCapacity(rows.count * shape.width)
        for piece in pieces { all += piece }
        return all
    }

    /// Rows that take about a millisecond.
    private static let rowsOfPiece = 32

    /// From how many rows on a second thread gains more than it costs.
    private static let rowsToShare = 16

    private func answers(
        _ x: [Float], _ estimate: NoiseEstimate, _ rows: ArraySlice<Int>
    ) -> [Float] {
        let width = shape.width
        let block = min(AdaptiveWorkspace.mostRows, rows.count)
        var workspace = AdaptiveWorkspace(rows: block, shape: shape)
        var output = [Float](repeating: 0, count: rows.count * width)
        var places = output.mutableSpan
        var done = 0
        while done < rows.count {
            let part = rows.dropFirst(done).prefix(block)
            workspace.lay(part, of: x.span, estimate, width)
            workspace.run(part.count, self)
            var place = places._mutatingExtracting(done * width..<(done + part.count) * width)
            copy(workspace.answer.span, into: &place)
            done += part.count
        }
        return output
    }

    func gathered(_ x: [Float], _ rows: [Int]) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(rows.count * shape.width)
        for row in rows { values += x[row * shape.width..<(row + 1) * shape.width] }
        return values
    }

    /// Turns answers into denoised rows; `x` are the rows that they belong to.
    ///
    /// - Returns: how many rows moved.
    private func move(
        _ answers: inout [Float], from x: [Float], _ estimate: NoiseEstimate, _ rows: [Int],
        by strength: RequestStrength
    ) -> Int {
        let width = shape.width
        let scales = rows.map { estimate.scales[$0] }
        var ways = [Double](repeating: 0, count: rows.count)
        var amounts = ways
        var waySpan = ways.mutableSpan
        squaredWays(
            answers.span, from: x.span, scales: scales.span, rows: rows.count, columns: width,
            into: &waySpan)
        for (index, row) in rows.enumerated() {
            let level = estimate.levels[row]
            // As far as the noise is long, in which a row lies from the clean one.
            let limit = Double(level) * Double(width).squareRoot() * scales[index]
            let way = ways[index].squareRoot()
            guard way.isFinite else { continue }
            let amount = strengths.amount(strength, at: level)
            amounts[index] = way > 0 ? min(amount, limit / way) : amount
        }
        var values = answers.mutableSpan
        blend(
            &values, with: x.span, amounts: amounts.span, scales: scales.span, rows: rows.count,
            columns: width)
        return amounts.count { $0 > 0 }
    }
}

extension AdaptiveWorkspace {
    /// Lays `part` of the rows of `x` down, at scale 1 and with their levels.
    fileprivate mutating func lay(
        _ part: ArraySlice<Int>, of x: Span<Float>, _ estimate: NoiseEstimate, _ width: Int
    ) {
        rows.rows = part.count
        var noise = levels.mutableSpan
        for (index, row) in part.enumerated() { noise[index] = estimate.levels[row] }
        var output = rows.mutableSpan
        for (index, row) in part.enumerated() {
            let values = x.extracting(row * width..<(row + 1) * width)
            var place = output._mutatingExtracting(index * width..<(index + 1) * width)
            if estimate.scales[row] == 1 {
                copy(values, into: &place)
            } else {
                let factor = 1 / estimate.scales[row]
                for i in values.indices { place[i] = Float(Double(values[i]) * factor) }
            }
        }
    }
}
