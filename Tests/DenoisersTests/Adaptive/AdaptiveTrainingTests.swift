import Kernels
import Tensors
import Testing
import System

@testable import Denoisers

/// Rows of length 1 near a curved surface of few dimensions, [count, 64].
private func curvedRows(_ count: Int, seed: UInt64, basisSeed: UInt64 = 5) -> [Float] {
    var basisRandom = SeededRandom(seed: basisSeed)
    let basis = (0..<12 * 64).map { _ in Float.random(in: -1...1, using: &basisRandom) }
    var random = SeededRandom(seed: seed)
    return (0..<count).flatMap { _ in
        let (a, b, c) = (
            Float.random(in: -1...1, using: &random), Float.random(in: -1...1, using: &random),
            Float.random(in: -1...1, using: &random)
        )
        let weights = [1, a, b, c, a * a, b * b, c * c, a * b, b * c, a * c, a * b * c, a * a * b]
        let row = (0..<64).map { i in
            (0..<12).reduce(Float(0)) { $0 + weights[$1] * basis[$1 * 64 + i] }
        }
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return row.map { $0 / length }
    }
}

private func trainer(
    _ rows: [Float], threads: Int = 1, _ change: (inout AdaptiveTrainingOptions) -> Void = { _ in }
) throws -> AdaptiveTrainer {
    var options = AdaptiveTrainingOptions()
    options.hidden = 24
    options.samples = 30 * 64
    options.batchSize = 64
    change(&options)
    return try AdaptiveTrainer(
        embeddings: rows, width: 64, pilots: [], options: options, threads: threads)
}

@Suite struct `Training an adaptive denoiser` {
    let rows = curvedRows(1100, seed: 1)

    @Test func `equal seeds give equal models, with two threads as well; others do not`() throws {
        func flat(_ seed: UInt64, threads: Int) throws -> [Float] {
            var trainer = try trainer(rows, threads: threads) { $0.seed = seed }
            return floats(try trainer.train().0.flat)
        }
        let one = try flat(3, threads: 1)
        #expect(try one == flat(3, threads: 2))
        #expect(try one != flat(4, threads: 1))
    }

    @Test func `beats doing nothing and the best linear filter on rows it never saw`() throws {
        var trainer = try trainer(rows) { $0.samples = 600 * 64 }
        let (model, report) = try trainer.train()
        #expect(report.rows == 1100 && report.steps == 600)
        #expect(report.losses.count == 100 && report.losses[99] < report.losses[0])
        let others = curvedRows(200, seed: 2)
        let noisy = addingNoise(to: others, noiseLevel: 0.1, seed: 3)
        let restored = model.denoise(noisy, profile: .restore).values
        func error(_ rows: [Float]) -> Double {
            meanSquaredError(rows.span, target: others.span)
        }
        let (nothing, wiener, ours) = (error(noisy), error(model.wiener(noisy)), error(restored))
        print("squared error: noisy \(nothing), Wiener \(wiener), restored \(ours)")
        #expect(wiener < nothing && ours < wiener)
        #expect(model.denoise(others).estimate.meanLevel < 0.01)
    }

    @Test func `a run ends when asked to, and tells how far it is`() throws {
        var trainer = try trainer(rows)
        var (looks, steps) = (0, 0)
        #expect(throws: AdaptiveError.cancelled) {
            _ = try trainer.train {
                looks += 1
                return looks == 3
            } progress: { done, _ in
                steps = done
            }
        }
        #expect(steps == 8)
    }

    @Test func `rows that cannot be trained on are refused`() throws {
        #expect(throws: AdaptiveError.tooFewRows(999, needed: 1000)) {
            _ = try trainer(Array(rows[..<(999 * 64)]))
        }
        var doubled = rows
        for i in 3 * 64..<4 * 64 { doubled[i] *= 2 }
        #expect(throws: AdaptiveError.self) { _ = try trainer(doubled) }
        var broken = rows
        broken[7] = .nan
        #expect(throws: AdaptiveError.self) { _ = try trainer(broken) }
        #expect(throws: AdaptiveError.self) {
            var trainer = try trainer(rows) { $0.learningRate = 1e20 }
            _ = try trainer.train()
        }
    }
}

@Suite struct `Adapting to an upload` {
    private static let base = Result {
        var trainer = try trainer(curvedRows(1100, seed: 1)) { $0.samples = 400 * 64 }
        return try trainer.train().0
    }
    let base: AdaptiveParameters
    let replay = Array(curvedRows(1100, seed: 1)[..<(200 * 64)])

    init() throws { base = try Self.base.get() }

    @Test(arguments: [0, 1, 8, 23])
    func `few lines change nothing`(count: Int) throws {
        let (model, report) = try base.adapted(
            to: curvedRows(count, seed: 7, basisSeed: 8), replay: replay)
        #expect(report.outcome == .tooFewLines && report.steps == 0)
        #expect(floats(model.flat) == floats(base.flat))
    }

    @Test func `lines of another kind are learned, and both threads give the same`() throws {
        let lines = curvedRows(300, seed: 7, basisSeed: 8)
        var options = AdaptationOptions()
        options.learningRate = 5e-3
        let (model, report) = try base.adapted(to: lines, replay: replay, options: options)
        print(report)
        guard case .adapted(let part) = report.outcome else {
            Issue.record("\(report)")
            return
        }
        #expect(part > 0 && report.gain > report.gainError && report.steps == 150)
        #expect(report.heldOutLines == 60 && report.trainedLines == 240)
        let others = curvedRows(200, seed: 9, basisSeed: 8)
        let noisy = addingNoise(to: others, noiseLevel: 0.1, seed: 3)
        func error(_ model: AdaptiveParameters) -> Double {
            let restored = model.denoise(noisy, profile: .restore).values
            return meanSquaredError(restored.span, target: others.span)
        }
        #expect(error(model) < error(base))
        let two = try base.adapted(to: lines, replay: replay, options: options, threads: 2).0
        #expect(floats(two.flat) == floats(model.flat))
    }

    @Test func `without a gain the base stays`() throws {
        var options = AdaptationOptions()
        options.learningRate = 0.2
        let (model, report) = try base.adapted(
            to: curvedRows(40, seed: 11), replay: replay, options: options)
        #expect(report.outcome == .noGain && report.heldOutLines == 8)
        #expect(floats(model.flat) == floats(base.flat))
    }

    @Test func `text of other kinds keeps its cosine, or nothing changes`() throws {
        let lines = curvedRows(300, seed: 7, basisSeed: 8)
        let others = curvedRows(300, seed: 5)
        var options = AdaptationOptions()
        options.learningRate = 5e-3
        let noisy = addingNoise(to: others, noiseLevel: 0.1, seed: 3)
        func kept(_ model: AdaptiveParameters) -> Double {
            let restored = model.denoise(noisy, profile: .restore).values
            return (0..<300).reduce(0) {
                let range = $1 * 64..<($1 + 1) * 64
                return $0 + cosine(restored.span.extracting(range), others.span.extracting(range))
                    / 300
            }
        }
        let before = kept(base)
        func loss(_ mostLoss: Double) throws -> (loss: Double, AdaptationReport) {
            options.mostLoss = mostLoss
            let (model, report) = try base.adapted(
                to: lines, replay: replay, others: others, options: options)
            return (before - kept(model), report)
        }
        let (free, wide) = try loss(1)
        let (bound, narrow) = try loss(free / 3)
        print("other text loses \(free) of cosine, \(bound) if bound to \(free / 3)")
        #expect(wide.outcome != .noGain && bound < free / 2 && narrow.gain < wide.gain)
        #expect(try loss(-1).1.outcome == .noGain)
    }

    @Test func `ends when asked to`() {
        #expect(throws: AdaptiveError.cancelled) {
            _ = try base.adapted(
                to: curvedRows(40, seed: 11), replay: [], isCancelled: { true })
        }
    }

    @Test func `steps grow with the upload`() {
        #expect(
            [24, 399, 400, 3999, 4000].map(AdaptationOptions.steps) == [150, 150, 300, 300, 600])
    }
}
