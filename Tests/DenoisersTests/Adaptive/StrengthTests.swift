import Kernels
import Tensors
import Testing
import System

@testable import Denoisers

@Suite struct `How far rows move` {
    @Test func `is linear between the tables' levels and constant beyond`() {
        let tables = StrengthTables()
        #expect(tables.amount(.safe, at: 0) == 0)
        #expect(abs(tables.amount(.safe, at: 0.04) - 0.35) < 1e-6)
        #expect(abs(tables.amount(.restore, at: 0.015) - 0.6) < 1e-6)
        #expect(abs(tables.amount(.balanced, at: 7) - 0.8) < 1e-6)
    }

    @Test func `by a row's own confidence lies between floor and upper`() {
        var tables = StrengthTables()
        // Never measured: nothing to go by.
        #expect(tables.amount(at: 0.1, square: 0.5) == tables.value(tables.floor, at: 0.1))
        tables.confidence = Array(repeating: 0.5, count: tables.levels.count)
        // The gate opens from 0.7 to 0.95 of the usual confidence.
        for (square, part) in [(0.1, 0.0), (0.35, 0), (0.4125, 0.5), (0.475, 1), (0.9, 1)] {
            let expected = 0.6 + part * 0.32
            #expect(abs(tables.amount(at: 0.1, square: square) - expected) < 1e-6)
        }
    }

    @Test func `by the blend that ranks best stays between floor and that of trained kinds`() {
        let tables = StrengthTables()
        for (blend, amount) in [(0.0, 0.6), (0.8, 0.65), (0.86, 0.8), (0.92, 0.95), (1, 1)] {
            #expect(abs(tables.amount(at: 0.1, rankingBlend: blend) - amount) < 1e-6)
        }
        #expect(abs(tables.amount(at: 0.02, rankingBlend: 1) - 0.35) < 1e-6)
    }

    @Test func `the best blend is the one whose scores correlate most`() {
        func correlation(_ sums: RankingSums, _ t: Double) -> Double {
            let top = (1 - t) * sums.ex + t * sums.ef
            let square =
                (1 - t) * (1 - t) * sums.xx + 2 * t * (1 - t) * sums.xf + t * t * sums.ff
            return top / square.squareRoot()
        }
        let sums = RankingSums(ex: 1, ef: 0.7, xx: 3, xf: 1.3, ff: 1.1)
        let best = sums.best
        #expect(0.1...0.9 ~= best)
        for other in stride(from: 0, through: 1, by: 0.01) {
            #expect(correlation(sums, other) <= correlation(sums, best) + 1e-12)
        }
        #expect(RankingSums(ex: 2, ef: 0.1, xx: 2, xf: 1, ff: 1).best == 0)
        #expect(RankingSums(ex: 0.5, ef: 1, xx: 3, xf: 1, ff: 1).best == 1)
        let (blend, error) = bestBlend(Array(repeating: sums, count: 64), blocks: 8)
        #expect(abs(blend - best) < 1e-12 && error < 1e-12)
    }

    @Test func `comes back from a file as it was`() throws {
        let model = try FixtureTensors.model.get()
        var tables = StrengthTables()
        tables.confidence = tables.levels.map { 1 - $0 }
        tables.profiles[3][3] = 0.625
        tables.gateHigh[4] = 0.75
        tables.accept[2] = 1.5
        tables.evidence.rows = 600
        tables.evidence.levels = 0.25...0.5
        tables.ranking.amounts[1] = 0.125
        let named = model.with(tables).named
        let again = try AdaptiveParameters { name in named.first { $0.name == name }?.tensor }
        #expect(again.strengths == tables)
        #expect(again.pilots == [127, 223, 319])
        #expect(floats(again.flat) == floats(model.flat))
        let hasPrefix = named.allSatisfy { $0.name.hasPrefix("adaptive.") }
        #expect(hasPrefix)
    }

    @Test(arguments: ["adaptive.mu", "adaptive.U", "adaptive.w", "adaptive.Wo", "adaptive.bi"])
    func `tensors that are missing or of a wrong shape are named`(broken: String) throws {
        let named = try FixtureTensors.model.get().named
        let one: [Float] = [1]
        let other = Tensor(shape: [1], copying: one.span)
        for replacement in [nil, other] {
            let error = #expect(throws: AdaptiveError.self) {
                _ = try AdaptiveParameters { name in
                    name == broken ? replacement : named.first { $0.name == name }?.tensor
                }
            }
            #expect(error.map { "\($0)".contains("adaptive.") } == true)
        }
    }

    @Test func `a number that is not finite, or a variance of 0, is refused`() throws {
        let named = try FixtureTensors.model.get().named
        for (broken, value) in [("adaptive.Wi", Float.nan), ("adaptive.w", 0)] {
            #expect(throws: AdaptiveError.self) {
                _ = try AdaptiveParameters { name in
                    guard let tensor = named.first(where: { $0.name == name })?.tensor else {
                        return nil
                    }
                    guard name == broken else { return tensor }
                    var values = floats(tensor)
                    values[3] = value
                    return Tensor(shape: tensor.shape, copying: values.span)
                }
            }
        }
    }

    @Test func `a row gets the bits that it gets alone, with two threads as well`() throws {
        let model = try FixtureTensors.model.get()
        let clean = try FixtureTensors("adaptive-golden").values("clean")
        let rows = addingNoise(
            to: (0..<20).flatMap { _ in clean }, noiseLevel: 0.1, seed: 4)
        let estimate = model.estimateNoise(rows.span)
        let all = model.answers(rows, estimate, Array(0..<320))
        let team = try #require(WorkerPair.shared)
        #expect(all == model.answers(rows, estimate, Array(0..<320), team))
        for row in [0, 63, 64, 200, 319] {
            let alone = model.answers(rows, estimate, [row])
            #expect(alone[...] == all[row * 384..<(row + 1) * 384])
        }
    }

    /// 512 rows with noise, made of 16; their estimate and answers.
    private func request(
        _ level: Float
    ) throws -> (
        model: AdaptiveParameters, clean: [Float], noisy: [Float], estimate: NoiseEstimate,
        answers: [Float]
    ) {
        let model = try FixtureTensors.model.get()
        let clean = try FixtureTensors("adaptive-golden").values("clean")
        let many = (0..<32).flatMap { _ in clean }
        let noisy = addingNoise(to: many, noiseLevel: level, seed: 4)
        let estimate = model.estimateNoise(noisy.span)
        return (model, many, noisy, estimate, model.answers(noisy, estimate, Array(0..<512)))
    }

    @Test(arguments: [Float(0.05), 0.1])
    func `Stein's estimate is that of the best amount by the clean rows`(level: Float) throws {
        let (model, clean, noisy, estimate, answers) = try request(level)
        var (along, way) = (0.0, 0.0)
        for i in noisy.indices {
            let move = Double(answers[i]) - Double(noisy[i])
            along += move * (Double(clean[i]) - Double(noisy[i]))
            way += move * move
        }
        let rows = Array(0..<512)
        let found = try #require(model.evidence(noisy, estimate, rows, answers: answers))
        print("at \(level) \(found), by the clean rows \(along / way)")
        #expect(abs(found.ratio - along / way) < 0.02)
        #expect(abs(found.level - Double(level)) < 0.002 && 0...1 ~= found.blend)
    }

    @Test func `a request of few rows, little noise or many levels tells nothing`() throws {
        let (model, _, noisy, estimate, answers) = try request(0.1)
        let rows = Array(0..<512)
        #expect(model.evidence(noisy, estimate, Array(0..<511), answers: answers) == nil)
        for change in [Float(0.1), 2] {
            var other = estimate
            for row in rows { other.levels[row] *= change }
            #expect(model.evidence(noisy, other, rows, answers: answers) == nil)
        }
        var mixed = estimate
        for row in 0..<100 { mixed.levels[row] *= 0.5 }
        #expect(model.evidence(noisy, mixed, rows, answers: answers) == nil)
    }

    @Test func `rows of a request move by what it tells`() throws {
        let (model, _, noisy, _, answers) = try request(0.1)
        func amount(_ change: (inout StrengthTables) -> Void) -> Double {
            var tables = model.strengths
            change(&tables)
            let values = model.with(tables).denoise(noisy).values
            // The way of one element that moves far.
            let i = answers.indices.max {
                abs(answers[$0] - noisy[$0]) < abs(answers[$1] - noisy[$1])
            }
            return i.map { Double(values[$0] - noisy[$0]) / Double(answers[$0] - noisy[$0]) } ?? 0
        }
        let always = amount { $0.accept = $0.accept.map { _ in 0 } }
        let never = amount {
            $0.accept = $0.accept.map { _ in 9 }
            $0.evidence.error = -1
        }
        let ranked = amount {
            $0.accept = $0.accept.map { _ in 9 }
            $0.evidence.error = 9
            $0.ranking.amounts = [0.7, 0.7, 0.7, 0.7, 0.7]
        }
        print("moved by \(always), \(never), \(ranked)")
        #expect(abs(always - 1) < 0.03 && abs(never - 0.6) < 0.03 && abs(ranked - 0.7) < 0.03)
    }
}
