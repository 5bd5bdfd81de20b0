internal import Kernels
internal import System
internal import Tensors

/// Trains an autoencoder on embeddings of distinct lines.
public struct AutoencoderTrainer: ~Copyable {
    private let options: TrainingOptions
    private let architecture: AutoencoderArchitecture
    private var rows: TrainingRows
    /// Distinct lines kept apart to judge the result.
    private let heldOut: [Int32]
    private let buffers: TrainingBuffers
    private let team: WorkerPair?
    private var random: SeededRandom
    private var noise: GaussianNoise
    /// The sum of the parameters after each of the last epochs, and their number.
    private var tail: [Float] = []
    private var tailCount = 0

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - embeddings: clean embeddings of distinct lines, row-major [distinct, width].
    ///   - lines: for every line of the text its row in `embeddings`.
    ///   - options: how to train.
    ///   - start: parameters to continue from; nil starts afresh from the seed.
    ///   - architecture: the sizes of a network that starts afresh.
    ///   - threads: 2 or more let two threads share every step; the result is the same, bit for
    ///     bit.
    public init(
        embeddings: [Float], lines: [Int32], options: TrainingOptions,
        start: AutoencoderParameters? = nil, architecture: AutoencoderArchitecture = .original,
        threads: Int = 1
    ) {
        let architecture = start?.architecture ?? architecture
        let width = architecture.width
        let distinct = embeddings.count / width
        precondition(
            embeddings.count == distinct * width && !lines.isEmpty,
            "\(embeddings.count) values, \(lines.count) lines")
        var options = options
        options.batchSize = min(options.batchSize, lines.count)
        self.options = options
        self.architecture = architecture
        var random = SeededRandom(seed: options.seed)
        let apart = Self.holdOut(of: distinct, &random)
        let isHeldOut = Set(apart)
        heldOut = apart
        rows = TrainingRows(
            embeddings: embeddings, lines: lines.filter { !isHeldOut.contains($0) }, width: width)
        let initial =
            start
            ?? AutoencoderParameters(initializedFrom: random.next(), architecture: architecture)
        buffers = TrainingBuffers(
            batch: options.batchSize, initial: initial.flat.span, architecture: architecture)
        noise = GaussianNoise(seed: random.next())
        self.random = random
        team = threads > 1 ? WorkerPair.shared : nil
        if options.noise == .fixed { rows.fixNoise(&noise, deviation: options.noiseLevel) }
    }

    /// Bytes that a run on `lines` lines takes at most, the embeddings included.
    public static func memory(lines: Int, _ options: TrainingOptions) -> Int {
        let row = embeddingWidth * MemoryLayout<Float>.stride
        // The noisy rows, and room in which both kinds of rows are made.
        let rows = options.noise == .fixed ? 3 : 1
        return lines * (rows * row + bytesOfLine) + smallThings
            + TrainingBuffers.bytes(batch: min(options.batchSize, lines))
    }

    /// The line's row, its place in the order of an epoch, and copies while these are made.
    private static let bytesOfLine = 44

    /// The sum of the parameters, the last losses, and what the allocator keeps.
    private static let smallThings = 7 << 20

    /// 20 distinct lines and a fiftieth of all, at most a tenth, none below 20.
    ///
    /// More would judge little better and cost the model what it does not learn from them.
    private static func holdOut(of distinct: Int, _ random: inout SeededRandom) -> [Int32] {
        guard distinct >= 20 else { return [] }
        let count = max(1, min(distinct / 10, 20 + distinct / 50))
        return Array((0..<Int32(distinct)).shuffled(using: &random).prefix(count))
    }

    /// Trains all epochs.
    ///
    /// - Parameters:
    ///   - isCancelled: asked before every 256 steps at most; true ends the run.
    ///   - afterEpoch: gets the number of finished epochs and the last one's mean loss.
    /// - Returns: the parameters and the report.
    /// - Throws: `diverged` at the first epoch whose loss is not finite, `cancelled` on request.
    public mutating func run(
        isCancelled: () -> Bool = { false },
        afterEpoch: (_ epoch: Int, _ loss: Double) -> Void = { _, _ in }
    ) throws(TrainingError) -> (AutoencoderParameters, TrainingReport) {
        let clock = ContinuousClock()
        let began = clock.now
        var losses: [Double] = []
        var steps = 0
        var order = Array(0..<Int32(rows.lines.count))
        let adam = Adam(rate: options.learningRate)
        var pace = TeamPace()
        for number in 1...options.epochs {
            order.shuffle(using: &random)
            let epoch = TrainingEpoch(
                buffers: buffers, rows: rows, order: order, batchSize: options.batchSize,
                noiseLevel: options.noiseLevel, noise: noise, adam: adam, stepsBefore: steps)
            var sum = 0.0
            var first = 0
            while first < epoch.steps {
                if isCancelled() { throw .cancelled }
                let portion = first..<min(first + pace.steps, epoch.steps)
                let portionBegan = clock.now
                sum += epoch.run(portion, pace.together ? team : nil)
                pace.took((clock.now - portionBegan) / .seconds(1), steps: portion.count)
                first = portion.upperBound
            }
            let loss = sum / Double(epoch.steps)
            steps += epoch.steps
            noise = noise.dropping(order.count * architecture.width)
            guard loss.isFinite else { throw .diverged(epoch: number) }
            losses.append(loss)
            if options.noise == .fresh, number > options.epochs * 3 / 4 { addToTail() }
            afterEpoch(number, loss)
        }
        let trained = tailCount > 0 ? mean() : last()
        guard trained.isFinite else { throw .diverged(epoch: options.epochs) }
        let seconds = (clock.now - began) / .seconds(1)
        let finalLoss = finalLoss(trained)
        guard finalLoss.isFinite else { throw .diverged(epoch: options.epochs) }
        let report = TrainingReport(
            trainedLines: rows.lines.count, epochLosses: losses, finalLoss: finalLoss,
            heldOut: judge(trained), seconds: seconds, steps: steps)
        return (trained, report)
    }

    private mutating func addToTail() {
        let block = buffers.block
        let parameters = block.span.extracting(first: architecture.parameterCount)
        if tail.isEmpty { tail = Array(repeating: 0, count: parameters.count) }
        for i in parameters.indices { tail[i] += parameters[i] }
        tailCount += 1
    }

    /// The mean of the parameters of the last quarter of the epochs.
    ///
    /// It holds less of the last batches' noise than the last parameters do (stochastic weight
    /// averaging; Izmailov et al., arXiv 1803.05407).
    private func mean() -> AutoencoderParameters {
        parameters(buffers.inOrder(tail.span).map { $0 / Float(tailCount) })
    }

    private func last() -> AutoencoderParameters {
        let block = buffers.block
        return parameters(buffers.inOrder(block.span))
    }

    private func parameters(_ values: [Float]) -> AutoencoderParameters {
        AutoencoderParameters(
            flat: Tensor(shape: [values.count], copying: values.span), architecture: architecture)
    }

    /// The loss as the original defines it: over all training lines, with the run's noise.
    private func finalLoss(_ trained: AutoencoderParameters) -> Double {
        let width = architecture.width
        let block = 256
        var clean = Matrix(rows: block, columns: width)
        var noisy = Matrix(rows: block, columns: width)
        var denoised = Matrix(rows: block, columns: width)
        var scratch = AutoencoderWorkspace(rows: block, for: architecture)
        var sum = 0.0
        for start in stride(from: 0, to: rows.lines.count, by: block) {
            let count = min(block, rows.lines.count - start)
            clean.rows = count
            noisy.rows = count
            denoised.rows = count
            write(start, count, into: &clean, &noisy)
            var output = denoised.mutableSpan
            trained.denoise(noisy.span, workspace: &scratch, into: &output)
            sum += meanSquaredError(output.span, target: clean.span) * Double(count)
        }
        return sum / Double(rows.lines.count)
    }

    private func write(
        _ start: Int, _ count: Int, into clean: inout Matrix, _ noisy: inout Matrix
    ) {
        let width = architecture.width
        var clean = clean.mutableSpan
        var noisy = noisy.mutableSpan
        for row in 0..<count {
            rows.write(
                start + row, 0..<width, noise.dropping((start + row) * width),
                deviation: options.noiseLevel, row: row, clean: &clean, noisy: &noisy)
        }
    }

    /// Clean embeddings of the lines kept apart, [rows, width].
    public var heldOutRows: [Float] {
        let width = architecture.width
        return heldOut.flatMap { rows.embeddings[Int($0) * width..<(Int($0) + 1) * width] }
    }

    private func judge(_ trained: AutoencoderParameters) -> HeldOutReport? {
        guard !heldOut.isEmpty else { return nil }
        let width = architecture.width
        var mean = [Double](repeating: 0, count: width)
        for line in rows.lines {
            for c in 0..<width {
                mean[c] += Double(rows.embeddings[Int(line) * width + c])
            }
        }
        return AutoencoderDenoiser(trained).judge(
            clean: heldOutRows, mean: mean.map { Float($0 / Double(rows.lines.count)) },
            noiseLevel: options.noiseLevel, seed: options.seed &+ 1)
    }
}

/// output = values, of the same length.
func copy(_ values: Span<Float>, into output: inout MutableSpan<Float>) {
    for i in values.indices { output[i] = values[i] }
}
