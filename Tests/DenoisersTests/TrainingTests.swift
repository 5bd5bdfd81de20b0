import Tensors
import Kernels
import Testing
import System

@testable import Denoisers

/// Rows on a plane of 8 dimensions: something a code of 64 can learn.
func planeRows(_ count: Int) -> [Float] {
    var random = SeededRandom(seed: 5)
    let basis = (0..<8 * 384).map { _ in Float.random(in: -0.1...0.1, using: &random) }
    return (0..<count).flatMap { _ in
        let weights = (0..<8).map { _ in Float.random(in: -1...1, using: &random) }
        return (0..<384).map { c in (0..<8).reduce(0) { $0 + weights[$1] * basis[$1 * 384 + c] } }
    }
}

func train(
    _ rows: [Float], threads: Int = 1, _ change: (inout TrainingOptions) -> Void = { _ in },
    isCancelled: () -> Bool = { false }
) throws -> (AutoencoderParameters, TrainingReport) {
    var options = TrainingOptions()
    options.epochs = 5
    change(&options)
    var trainer = AutoencoderTrainer(
        embeddings: rows, lines: (0..<Int32(rows.count / 384)).map { $0 }, options: options,
        threads: threads)
    return try trainer.run(isCancelled: isCancelled)
}

@Suite struct `Training of the autoencoder` {
    @Test func `equal seeds give equal models, others do not`() throws {
        let rows = planeRows(70)
        func flat(_ seed: UInt64) throws -> [Float] {
            let tensor = try train(rows) { $0.seed = seed }.0.flat
            return tensor.span.indices.map { tensor.span[$0] }
        }
        #expect(try flat(3) == flat(3))
        #expect(try flat(3) != flat(4))
    }

    @Test(arguments: [1, 7, 32, 50])
    func `two threads give the bits that one gives`(batchSize: Int) throws {
        let rows = planeRows(70)
        func flat(threads: Int) throws -> [Float] {
            let tensor = try train(rows, threads: threads) { $0.batchSize = batchSize }.0.flat
            return tensor.span.indices.map { tensor.span[$0] }
        }
        #expect(try flat(threads: 1) == flat(threads: 2))
    }

    @Test(arguments: [7, 32, 40])
    func `a team that stays together for hundreds of steps gives the bits of one thread`(
        batchSize: Int
    ) throws {
        let rows = planeRows(1500)
        let lines = rows.count / 384
        let initial = AutoencoderParameters(initializedFrom: 9).flat
        let team = try #require(WorkerPair())
        func run(_ team: WorkerPair?) -> [Float] {
            let buffers = TrainingBuffers(batch: batchSize, initial: initial.span)
            let epoch = TrainingEpoch(
                buffers: buffers,
                rows: TrainingRows(embeddings: rows, lines: Array(0..<Int32(lines))),
                order: Array(0..<Int32(lines)).reversed(), batchSize: batchSize, noiseLevel: 0.1,
                noise: GaussianNoise(seed: 5), adam: Adam(), stepsBefore: 0)
            for _ in 0..<5 { _ = epoch.run(0..<epoch.steps, team) }
            let block = buffers.block
            return buffers.inOrder(block.span)
        }
        #expect(run(team) == run(nil))
    }

    @Test(arguments: [true, false])
    func `halves of a line get the noise that the whole line gets`(isFixed: Bool) {
        let rows = planeRows(3)
        var corpus = TrainingRows(embeddings: rows, lines: [2, 0, 1])
        var noise = GaussianNoise(seed: 6)
        if isFixed { corpus.fixNoise(&noise, deviation: 0.1) }
        func written(_ elements: Range<Int>) -> (clean: [Float], noisy: [Float]) {
            var clean = [Float](repeating: 0, count: elements.count)
            var noisy = clean
            var cleanSpan = clean.mutableSpan
            var noisySpan = noisy.mutableSpan
            corpus.write(
                1, elements, noise.dropping(384), deviation: 0.1, row: 0, clean: &cleanSpan,
                noisy: &noisySpan)
            return (clean, noisy)
        }
        let (whole, first, second) = (written(0..<384), written(0..<192), written(192..<384))
        #expect(whole.clean == Array(rows[..<384]))
        #expect(first.clean + second.clean == whole.clean)
        #expect(first.noisy + second.noisy == whole.noisy && whole.noisy != whole.clean)
    }

    @Test(arguments: TrainingOptions.Noise.allCases)
    func `learns, and beats noise and mean on rows it never saw`(
        noise: TrainingOptions.Noise
    ) throws {
        let (_, report) = try train(planeRows(600)) {
            $0.epochs = 60
            $0.noise = noise
        }
        let heldOut = try #require(report.heldOut)
        print("\(noise): noisy \(heldOut.noisyCosine), denoised \(heldOut.denoisedCosine)")
        #expect(report.epochLosses.count == 60 && report.trainedLines == 568)
        #expect(report.epochLosses[59] < report.epochLosses[0] / 2)
        #expect(heldOut.rows == 32)
        #expect(heldOut.denoisedCosine > heldOut.noisyCosine)
        #expect(heldOut.denoisedError < min(heldOut.noisyError, heldOut.meanError))
    }

    @Test func `too few lines are all trained on and nothing is judged`() throws {
        let (_, report) = try train(planeRows(19))
        #expect(report.heldOut == nil && report.trainedLines == 19)
        #expect(try train(planeRows(20)).1.heldOut?.rows == 2)
    }

    @Test func `a loss that is not finite after the last step is an error`() {
        #expect(throws: TrainingError.diverged(epoch: 1)) {
            _ = try train(planeRows(10)) {
                $0.epochs = 1
                $0.learningRate = 1e10
            }
        }
    }

    @Test func `a loss that is not finite is an error`() {
        #expect(throws: TrainingError.diverged(epoch: 1)) {
            var rows = planeRows(30)
            for i in rows.indices { rows[i] = .nan }
            _ = try train(rows)
        }
    }

    @Test func `a run ends when asked to`() {
        var looks = 0
        #expect(throws: TrainingError.cancelled) {
            _ = try train(
                planeRows(600), { $0.batchSize = 1 },
                isCancelled: {
                    looks += 1
                    return looks == 2
                })
        }
        #expect(looks == 2, "within the first epoch of 568 steps")
    }

    @Test func `the gradient is that of the loss, by central differences`() {
        let rows = planeRows(3)
        let clean = planeRows(5)
        let flat = AutoencoderParameters(initializedFrom: 9).flat
        var values = flat.span.indices.map { flat.span[$0] }
        func pass(_ values: [Float]) -> (Double, [Float]) {
            let run = RecordedRun(from: values)
            let loss = run.step(noisy: rows.map { $0 * 4 }, clean: Array(clean[(2 * 384)...]))
            return (loss, run.gradient)
        }
        let gradient = pass(values).1
        let largest = gradient.reduce(0) { max($0, abs($1)) }
        var worst: Float = 0
        for index in stride(from: 7, to: values.count, by: 2011) {
            let step: Float = 0.01
            let old = values[index]
            values[index] = old + step
            let above = pass(values).0
            values[index] = old - step
            let below = pass(values).0
            values[index] = old
            worst = max(worst, abs(Float((above - below) / Double(2 * step)) - gradient[index]))
        }
        print("gradient against differences: largest difference \(worst), gradient \(largest)")
        #expect(worst < largest / 50)
    }

    @Test(arguments: [4, 40, 100, 260])
    func `a batch of any size has the mean gradient of its quarters`(rows: Int) {
        let (noisy, clean) = (planeRows(rows).map { $0 * 4 }, planeRows(rows))
        let flat = AutoencoderParameters(initializedFrom: 9).flat
        let values = flat.span.indices.map { flat.span[$0] }
        func gradient(_ part: Range<Int>) -> [Float] {
            let run = RecordedRun(from: values, batch: rows)
            let elements = part.lowerBound * 384..<part.upperBound * 384
            _ = run.step(noisy: Array(noisy[elements]), clean: Array(clean[elements]))
            return run.gradient
        }
        let whole = gradient(0..<rows)
        let quarters = (0..<4).map { gradient(rows * $0 / 4..<rows * ($0 + 1) / 4) }
        var worst: Float = 0
        for i in whole.indices {
            worst = max(worst, abs(quarters.reduce(0) { $0 + $1[i] } / 4 - whole[i]))
        }
        let largest = whole.reduce(0) { max($0, abs($1)) }
        print("gradient of \(rows) rows: largest difference \(worst), gradient \(largest)")
        #expect(largest > 0 && worst < largest / 100_000)
    }

    @Test func `noise has the moments of a normal distribution`() {
        let count = 400_000
        let z = addingNoise(to: Array(repeating: 0, count: count), noiseLevel: 1, seed: 1)
        func moment(_ k: Int) -> Double {
            z.reduce(0) { sum, x in
                sum + (0..<k).reduce(1.0) { product, _ in product * Double(x) }
            } / Double(count)
        }
        #expect(abs(moment(1)) < 0.01 && abs(moment(2) - 1) < 0.02)
        #expect(abs(moment(3)) < 0.03 && abs(moment(4) - 3) < 0.1)
        let beyond = Double(z.count { abs($0) > 1.959964 }) / Double(count)
        #expect(abs(beyond - 0.05) < 0.003)
        let neighbours = zip(z, z.dropFirst()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(neighbours / Double(count)) < 0.01)
    }

    @Test func `recall counts rows nearest to their own`() {
        let rows = planeRows(50)
        #expect(recallAtOne(of: rows, among: rows) == 1)
        let turned = Array(rows[384...] + rows[..<384])
        #expect(recallAtOne(of: turned, among: rows) < 0.1)
    }
}
