import Foundation
import Kernels
import Tensors
import Testing
import System

@testable import Denoisers

@Suite struct `How far rows move` {
    @Test func `is linear between the tables' levels and constant beyond`() {
        let tables = StrengthTables()
        #expect(tables.amount(.safe, at: 0) == 0)
        #expect(abs(tables.amount(.safe, at: 0.04) - 0.21) < 1e-6)
        #expect(abs(tables.amount(.restore, at: 0.015) - 0.6) < 1e-6)
        #expect(abs(tables.amount(.balanced, at: 7) - 0.8) < 1e-6)
    }

    @Test func `by the blend that ranks best stays between safe and indomain`() {
        let tables = StrengthTables()
        for (blend, amount) in [(-0.2, 0.32), (0.5, 0.32), (0.75, 0.465), (0.9, 0.82), (1, 1)] {
            #expect(abs(tables.amount(at: 0.1, rankingBlend: blend) - amount) < 1e-6)
        }
        #expect(abs(tables.amount(at: 0.02, rankingBlend: 1) - 0.3) < 1e-6)
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
        tables.profiles[3][3] = 0.625
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

    @Test(arguments: ["few", "pooled", "mixed", "laplace", "unit", "unit-mixed", "many"])
    func `rows of a request have the level and move by the amount of the NumPy reference`(
        name: String
    ) throws {
        let recorded = try FixtureTensors("strength")
        let level = try #require(recorded.values("\(name)/level").first)
        let amounts = try recorded.values("\(name)/amounts")
        let (model, x, estimate) = try request(name)
        #expect(abs((estimate.commonLevel ?? -1) - level) < 1e-5)
        let rows = Array(estimate.levels.indices)
        let answers = model.answers(x, estimate, rows)
        if let common = estimate.commonLevel,
            let expected = recorded.tensor("\(name)/blend").map(floats)
        {
            let found = try #require(
                model.rankingBlend(x, estimate, common, rows, answers: answers))
            print("\(name): \(found), of the reference \(expected)")
            #expect(abs(found.blend - Double(expected[0])) < 1e-4)
            #expect(abs(found.error - Double(expected[1])) < 1e-4)
        }
        let strength = model.requestStrength(x, estimate, rows, answers: answers, nil)
        let ours = rows.prefix(16).map {
            model.strengths.amount(strength, at: estimate.levels[$0])
        }
        let difference = zip(ours, amounts).map { abs($0 - Double($1)) }.max() ?? 1
        print("\(name): amounts differ by at most \(difference)")
        #expect(difference < 1e-5)
    }

    /// A request of `record_strength.py`.
    private func request(
        _ name: String
    ) throws -> (model: AdaptiveParameters, noisy: [Float], estimate: NoiseEstimate) {
        let model = try FixtureTensors.model.get()
        let clean = try FixtureTensors("adaptive-golden").values("clean")
        let rows = name == "few" ? 16 : name == "many" ? 512 : 64
        let noise =
            name == "laplace"
            ? laplaceDraws(rows * 384, seed: 11) : draws(rows * 384, seed: 11)
        var x = (0..<rows * 384).map { i in
            let level: Float =
                switch name {
                case "mixed": i / 384 % 2 == 1 ? 0.05 : 0.1
                case "unit-mixed": i / 384 % 2 == 1 ? 0.03 : 0.2
                default: 0.1
                }
            return Float(Double(clean[i % clean.count]) + Double(level) * noise[i])
        }
        if name.hasPrefix("unit") {
            for row in 0..<rows {
                let range = row * 384..<(row + 1) * 384
                let square = x[range].reduce(0) { $0 + Double($1) * Double($1) }
                for i in range { x[i] = Float(Double(x[i]) / square.squareRoot()) }
            }
        }
        return (model, x, model.estimateNoise(x.span))
    }

    /// About normal: the sum of twelve uniform numbers of SplitMix64, less 6.
    private func draws(_ count: Int, seed: UInt64) -> [Double] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            (0..<12).reduce(-6) { sum, _ in sum + Double(random.next() >> 40) / 0x1p24 }
        }
    }

    /// Laplace noise of variance 1: its distribution's inverse of uniform numbers of SplitMix64.
    private func laplaceDraws(_ count: Int, seed: UInt64) -> [Double] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map { _ in
            let uniform = (Double(random.next() >> 40) + 0.5) / 0x1p24
            let value = log(2 * min(uniform, 1 - uniform)) / 2.0.squareRoot()
            return uniform < 0.5 ? value : -value
        }
    }

    @Test func `a request of too few rows, or of little or too much noise, tells nothing`() throws {
        let (model, x, estimate) = try request("many")
        let rows = Array(0..<512)
        let answers = model.answers(x, estimate, rows)
        func found(_ count: Int, _ level: Float) -> Bool {
            model.rankingBlend(x, estimate, level, Array(rows[..<count]), answers: answers) != nil
        }
        #expect(found(400, 0.1) && !found(399, 0.1))
        #expect(found(400, 0.12) && !found(400, 0.121))
        #expect(found(512, 0.135) && !found(512, 0.137))
        #expect(!found(512, 0.004) && !found(512, 0.36))
    }

    @Test func `rows of a request move by what it tells, and not without a common level`() throws {
        let (model, x, estimate) = try request("many")
        let answers = model.answers(x, estimate, Array(0..<512))
        func amount(_ change: (inout StrengthTables) -> Void) -> Double {
            var tables = model.strengths
            change(&tables)
            let values = model.with(tables).denoise(x).values
            // The way of one element that moves far.
            let i = answers.indices.max { abs(answers[$0] - x[$0]) < abs(answers[$1] - x[$1]) }
            return i.map { Double(values[$0] - x[$0]) / Double(answers[$0] - x[$0]) } ?? 0
        }
        let never = amount { $0.evidence.rows = 513 }
        let ranked = amount { $0.ranking.amounts = $0.ranking.amounts.map { _ in 0.7 } }
        let always = amount { $0.evidence.errors = -100 }
        print("moved by \(never), \(ranked), \(always)")
        #expect(abs(never - 0.32) < 0.01 && abs(ranked - 0.7) < 0.01 && abs(always - 1) < 0.01)
        var apart = estimate
        apart.commonLevel = nil
        let alone = model.requestStrength(x, apart, Array(0..<512), answers: answers, nil)
        #expect(alone == .profile(.safe))
    }
}
