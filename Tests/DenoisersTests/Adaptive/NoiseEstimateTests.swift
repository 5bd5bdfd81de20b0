import Kernels
import Tensors
import Testing
import System

@testable import Denoisers

/// The golden clean rows, 16 of them.
private func cleanRows() throws -> [Float] { try FixtureTensors("adaptive-golden").values("clean") }

private func length(_ row: ArraySlice<Float>) -> Double {
    row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
}

@Suite struct `Noise of a row` {
    let model: AdaptiveParameters
    let clean: [Float]

    init() throws {
        model = try FixtureTensors.model.get()
        clean = try cleanRows()
    }

    /// The golden rows often enough for pilots to tell a scale.
    private var many: [Float] { (0..<40).flatMap { _ in clean } }

    @Test(arguments: [Float(0.02), 0.1, 0.2], [Double(0.5), 2, 10])
    func `is known at any common scale, and the answer has that scale`(
        level: Float, scale: Double
    ) {
        let noisy = addingNoise(to: many, noiseLevel: level, seed: 8)
        let scaled = noisy.map { Float(Double($0) * scale) }
        let answer = model.denoise(scaled, profile: .safe)
        let (found, plain) = (answer.estimate.meanLevel, model.denoise(noisy, profile: .safe))
        print("level \(level) at scale \(scale): \(found), \(answer.estimate.scales[0])")
        #expect(abs(plain.estimate.meanLevel - Double(level)) < 0.02 * Double(level))
        // Pilots know of strong noise at twice the scale only that it is noise.
        let isKnown = level < 0.2 || scale != 2
        if isKnown { #expect(abs(found - Double(level)) < 0.15 * Double(level)) }
        let (ours, theirs) = (
            meanCosine(answer.values.span, many.span), meanCosine(plain.values.span, many.span)
        )
        #expect(abs(ours - theirs) < (isKnown ? 0.01 : 0.03))
        let ratio = length(answer.values[..<384]) / scale / length(plain.values[..<384])
        if isKnown { #expect(abs(ratio - 1) < 0.2) }
    }

    @Test(
        arguments: [Float(0.02), 0.05, 0.1],
        [(2, 0.1), (2, 0.5), (2, 2), (2, 10), (16, 0.1), (16, 0.5), (16, 2), (16, 10)])
    func `of a few rows does not harm at any scale`(
        level: Float, rows: (count: Int, scale: Double)
    ) {
        let (count, scale) = rows
        let some = Array(clean[..<(count * 384)])
        let noisy = addingNoise(to: some, noiseLevel: level, seed: 8)
        let scaled = noisy.map { Float(Double($0) * scale) }
        for profile in [AdaptiveProfile?.none, .safe] {
            let answer = model.denoise(scaled, profile: profile)
            let (before, after) = (
                meanCosine(noisy.span, some.span), meanCosine(answer.values.span, some.span)
            )
            print("\(count) rows of level \(level) at \(scale): \(before) to \(after)")
            #expect(after >= before)
            // At twice the scale strong noise looks like stronger noise.
            if scale != 2 { #expect(answer.estimate.meanLevel > 0.3 * Double(level)) }
        }
    }

    @Test(arguments: [Float(0.05), 0.1])
    func `of a single row, scaled to length 1 or not`(level: Float) {
        let noisy = addingNoise(to: clean, noiseLevel: level, seed: 9)
        for row in 0..<16 {
            let plain = Array(noisy[row * 384..<(row + 1) * 384])
            let unit = plain.map { Float(Double($0) / length(plain[...])) }
            for single in [plain, unit, plain.map { $0 * 0.3 }] {
                let found = model.estimateNoise(single.span).levels[0]
                #expect((level * 0.6...level * 4).contains(found), "\(found)")
            }
        }
    }

    @Test func `is what the caller says, for clean rows as well`() {
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 9)
        let estimate = model.estimateNoise(noisy.span, given: 0.05)
        #expect(estimate.levels == Array(repeating: 0.05, count: 16))
        #expect(estimate.scales == Array(repeating: 1, count: 16))
        #expect(model.denoise(clean, noise: 0.05, profile: .safe).values != clean)
        #expect(model.denoise(noisy, noise: 0).values == noisy)
    }

    @Test func `of rows scaled to one length is given at the length they had`() {
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 9)
        let unit = (0..<16).flatMap { row in
            let range = row * 384..<(row + 1) * 384
            return noisy[range].map { Float(Double($0) / length(noisy[range])) }
        }
        let answer = model.denoise(unit, noise: 0.1, profile: .safe)
        let plain = model.denoise(noisy, noise: 0.1, profile: .safe)
        #expect(
            meanCosine(answer.values.span, clean.span)
                > meanCosine(plain.values.span, clean.span) - 0.01)
    }

    @Test func `clean rows among noisy ones come back to the bit`() {
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 9)
        let mixed = Array(noisy[..<(8 * 384)] + clean[(8 * 384)...])
        let answer = model.denoise(mixed, profile: .restore)
        #expect(answer.values[(8 * 384)...] == clean[(8 * 384)...])
        let alone = model.denoise(Array(noisy[..<(8 * 384)]), profile: .restore)
        #expect(answer.values[..<(8 * 384)] == alone.values[...])
    }

    @Test func `knows the pilots that the encoder and the model share, and no others`() {
        let denoiser = AdaptiveDenoiser(model)
        var row = Array(clean[..<384])
        row[127] = 0.01
        func isClean(_ pilots: [Int]?) -> Bool {
            denoiser.denoise(row, DenoisingOptions(pilots: pilots), team: nil).values == row
        }
        #expect(!isClean(nil) && !isClean([127, 223, 319]) && !isClean([]))
        #expect(isClean([1, 223, 319]))
    }

    @Test func `without pilots comes from lengths, and from directions where those are equal`() {
        let blind = AdaptiveParameters(
            constants: AdaptiveConstants(
                mean: model.mean, axes: model.axes, variances: model.variances, pilots: []),
            shape: model.shape, flat: model.flat, strengths: model.strengths)
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 9)
        #expect(abs(blind.estimateNoise(noisy.span).meanLevel - 0.1) < 0.005)
        #expect(blind.estimateNoise(clean.span).meanLevel < 0.02)
    }
}

@Suite struct `Rows that no encoder makes` {
    let model: AdaptiveParameters
    let clean: [Float]

    init() throws {
        model = try FixtureTensors.model.get()
        clean = try cleanRows()
    }

    /// No row moves further than its noise is long.
    private func expectBounded(_ x: [Float], _ answer: AdaptiveAnswer) {
        for row in 0..<x.count / 384 {
            let range = row * 384..<(row + 1) * 384
            let way = zip(x[range], answer.values[range]).reduce(0.0) {
                let move = Double($1.1) - Double($1.0)
                return $0 + move * move
            }.squareRoot()
            let estimate = answer.estimate
            let limit = Double(estimate.levels[row]) * 384.0.squareRoot() * estimate.scales[row]
            let isFinite = answer.values[range].allSatisfy(\.isFinite)
            #expect(isFinite)
            #expect(way <= limit * 1.0001 + length(x[range]) * 1e-6, "row \(row): \(way), \(limit)")
        }
    }

    @Test func `rows of zeros stay`() {
        let zeros = [Float](repeating: 0, count: 3 * 384)
        #expect(model.denoise(zeros).values == zeros)
        #expect(model.denoise(zeros, noise: 0.1).values == zeros)
    }

    @Test(arguments: [Float(1e-37), 1e-20, 1e20, 1e36], [AdaptiveProfile?.none, .safe, .restore])
    func `rows of huge or tiny length`(scale: Float, profile: AdaptiveProfile?) {
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 2).map { $0 * scale }
        let answer = model.denoise(noisy, profile: profile)
        expectBounded(noisy, answer)
        #expect(meanCosine(answer.values.span, clean.span) > meanCosine(noisy.span, clean.span))
        let single = Array(noisy[..<384])
        expectBounded(single, model.denoise(single, profile: profile))
        expectBounded(noisy, model.denoise(noisy, noise: 0.1, profile: profile))
    }

    @Test(arguments: [Float(1), 10, 1000, 1e30], [0, 127])
    func `one element dominating`(size: Float, element: Int) {
        var rows = addingNoise(to: clean, noiseLevel: 0.05, seed: 2)
        for row in 0..<4 { rows[row * 384 + element] = size }
        for profile in [AdaptiveProfile?.none, .safe, .restore] {
            expectBounded(rows, model.denoise(rows, profile: profile))
            expectBounded(
                Array(rows[..<384]), model.denoise(Array(rows[..<384]), profile: profile))
        }
    }

    @Test func `a row that is not finite stays, and the others do not notice`() {
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 2)
        var rows = noisy
        rows[5] = .nan
        rows[384 + 7] = .infinity
        let answer = model.denoise(rows, profile: .safe)
        let alone = model.denoise(Array(noisy[(2 * 384)...]), profile: .safe)
        #expect(answer.values[(2 * 384)...] == alone.values[...])
        #expect(answer.values[5].isNaN && answer.values[6] == rows[6])
        #expect(answer.values[384 + 7] == .infinity)
    }

    @Test func `no rows`() {
        let answer = model.denoise([])
        #expect(answer.values.isEmpty && answer.estimate.meanLevel == 0)
    }
}

@Suite struct `Pilots of an encoder` {
    @Test func `are elements whose gain and bias are zero`() {
        var gain = [Float](repeating: 0.7, count: 384)
        var bias = [Float](repeating: 0.01, count: 384)
        #expect(pilotCoordinates(gain: gain.span, bias: bias.span) == [])
        for (index, value) in [(127, Float(-4.8e-33)), (223, -6e-33), (319, -1.5e-9)] {
            gain[index] = value
            bias[index] = 0
        }
        gain[5] = 0
        #expect(pilotCoordinates(gain: gain.span, bias: bias.span) == [127, 223, 319])
        let zeros = [Float](repeating: 0, count: 384)
        #expect(pilotCoordinates(gain: zeros.span, bias: zeros.span) == [])
    }
}
