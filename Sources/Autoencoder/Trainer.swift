internal import Kernels

/// A training run over embeddings of distinct lines.
public struct Trainer: ~Copyable {
    private let options: TrainingOptions
    /// Clean embeddings of distinct lines: [distinct, 384].
    private let embeddings: [Float]
    /// The distinct line of every training line, repetitions included.
    private var lines: [Int32]
    /// Distinct lines kept apart to judge the result.
    private let heldOut: [Int32]
    private var parameters: Matrix
    private var workspace: TrainingWorkspace
    private var adam: Adam
    private var order: SeededRandom
    private var noise: GaussianNoise
    /// The one draw of `fixed`: noisy embeddings of every line, [lines, 384].
    private var fixed: Matrix?
    private var input, target: Matrix
    /// The sum of the parameters after each of the last epochs, and their number.
    private var tail: Matrix
    private var tailCount = 0

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - embeddings: clean embeddings of distinct lines, row-major [distinct, 384].
    ///   - lines: for every line of the corpus its row in `embeddings`.
    ///   - options: how to train.
    ///   - start: parameters to continue from; nil starts afresh from the seed.
    public init(
        embeddings: [Float], lines: [Int32], options: TrainingOptions,
        start: AutoencoderParameters? = nil
    ) {
        let width = AutoencoderShape.width
        let distinct = embeddings.count / width
        precondition(
            embeddings.count == distinct * width && !lines.isEmpty,
            "\(embeddings.count) values, \(lines.count) lines")
        self.options = options
        self.embeddings = embeddings
        var random = SeededRandom(seed: options.seed)
        let apart = Self.holdOut(of: distinct, &random)
        let isHeldOut = Set(apart)
        heldOut = apart
        self.lines = lines.filter { !isHeldOut.contains($0) }
        let initial = start ?? AutoencoderParameters(initializedFrom: random.next())
        parameters = Matrix(rows: 1, columns: AutoencoderShape.parameterCount)
        copy(initial.flat.span, into: &parameters)
        workspace = TrainingWorkspace(rows: options.batchSize)
        adam = Adam(count: AutoencoderShape.parameterCount, rate: options.learningRate)
        input = Matrix(rows: options.batchSize, columns: width)
        target = Matrix(rows: options.batchSize, columns: width)
        tail = Matrix(rows: 1, columns: AutoencoderShape.parameterCount)
        noise = GaussianNoise(seed: random.next())
        order = random
        if options.noise == .fixed {
            var drawn = Matrix(rows: self.lines.count, columns: width)
            let all = Array(self.lines.indices)
            gather(all[...], of: self.lines, from: embeddings, into: &drawn)
            var noisy = Matrix(rows: self.lines.count, columns: width)
            drawNoise(&noise, on: drawn, deviation: options.noiseLevel, into: &noisy)
            fixed = consume noisy
        }
    }

    /// 20 distinct lines and a fiftieth of all, at most a tenth, none below 20.
    ///
    /// More would judge little better and cost the model: with 1,000 lines every percent held out is 0.001 of
    /// cosine lost.
    private static func holdOut(of distinct: Int, _ random: inout SeededRandom) -> [Int32] {
        guard distinct >= 20 else { return [] }
        let count = max(1, min(distinct / 10, 20 + distinct / 50))
        return Array((0..<Int32(distinct)).shuffled(using: &random).prefix(count))
    }

    /// Trains all epochs.
    ///
    /// - Parameters:
    ///   - isCancelled: asked before every step; true ends the run.
    ///   - afterEpoch: gets the number of epochs behind us and the last one's mean loss.
    /// - Returns: the parameters and the report.
    /// - Throws: `diverged` at the first epoch whose loss is not finite, `cancelled` on request.
    public mutating func run(
        isCancelled: () -> Bool = { false },
        afterEpoch: (_ epoch: Int, _ loss: Double) -> Void = { _, _ in }
    ) throws(AutoencoderError) -> (AutoencoderParameters, TrainingReport) {
        let clock = ContinuousClock()
        let began = clock.now
        var losses: [Double] = []
        var steps = 0
        var places = Array(lines.indices)
        for epoch in 1...options.epochs {
            places.shuffle(using: &order)
            var sum = 0.0
            var batches = 0
            for start in stride(from: 0, to: places.count, by: options.batchSize) {
                if isCancelled() { throw .cancelled }
                sum += step(places[start..<min(start + options.batchSize, places.count)])
                batches += 1
            }
            steps += batches
            let loss = sum / Double(batches)
            guard loss.isFinite else { throw .diverged(epoch: epoch) }
            losses.append(loss)
            if options.noise == .fresh, epoch > options.epochs * 3 / 4 {
                accumulate(parameters, into: &tail)
                tailCount += 1
            }
            afterEpoch(epoch, loss)
        }
        let trained = tailCount > 0 ? mean() : snapshot(of: parameters)
        guard trained.isFinite else { throw .diverged(epoch: options.epochs) }
        let seconds = (clock.now - began) / .seconds(1)
        let finalLoss = finalLoss(trained)
        let report = TrainingReport(
            trainedLines: lines.count, epochLosses: losses, finalLoss: finalLoss,
            heldOut: judge(trained), seconds: seconds, steps: steps)
        return (trained, report)
    }

    /// The mean of the parameters of the last quarter of the epochs: less of the last batches' noise is in it than
    /// in the last ones (stochastic weight averaging; Izmailov et al., arXiv 1803.05407).
    private func mean() -> AutoencoderParameters {
        let sum = tail.span
        var values: [Float] = []
        values.reserveCapacity(sum.count)
        for i in sum.indices { values.append(sum[i] / Float(tailCount)) }
        return AutoencoderParameters(flat: Tensor(shape: [values.count], copying: values.span))
    }

    /// One optimiser step on the lines at `places`; the batch's loss before it.
    private mutating func step(_ places: ArraySlice<Int>) -> Double {
        input.rows = places.count
        target.rows = places.count
        gather(places, of: lines, from: embeddings, into: &target)
        if let drawn = fixed.take() {
            gather(places, from: drawn, into: &input)
            fixed = consume drawn
        } else {
            let deviation = options.noiseLevel
            drawNoise(&noise, on: target, deviation: deviation, into: &input)
        }
        let loss = workspace.pass(input, target: target, parameters: parameters)
        update(&parameters, by: &adam, workspace.gradient)
        return loss
    }

    /// The loss as the original defines it: over all training lines, with the run's noise.
    private mutating func finalLoss(_ trained: AutoencoderParameters) -> Double {
        let width = AutoencoderShape.width
        var sum = 0.0
        let block = 256
        var clean = Matrix(rows: block, columns: width)
        var noisy = Matrix(rows: block, columns: width)
        var denoised = Matrix(rows: block, columns: width)
        var scratch = AutoencoderWorkspace(rows: block)
        let all = Array(lines.indices)
        for start in stride(from: 0, to: all.count, by: block) {
            let places = all[start..<min(start + block, all.count)]
            clean.rows = places.count
            noisy.rows = places.count
            denoised.rows = places.count
            gather(places, of: lines, from: embeddings, into: &clean)
            if let drawn = fixed.take() {
                gather(places, from: drawn, into: &noisy)
                fixed = consume drawn
            } else {
                drawNoise(&noise, on: clean, deviation: options.noiseLevel, into: &noisy)
            }
            var output = denoised.mutableSpan
            trained.denoise(noisy.span, workspace: &scratch, into: &output)
            sum += meanSquaredError(output.span, target: clean.span) * Double(places.count)
        }
        return sum / Double(lines.count)
    }

    private func judge(_ trained: AutoencoderParameters) -> HeldOutReport? {
        guard !heldOut.isEmpty else { return nil }
        let width = AutoencoderShape.width
        var mean = [Double](repeating: 0, count: width)
        for line in lines {
            for c in 0..<width { mean[c] += Double(embeddings[Int(line) * width + c]) }
        }
        let clean = heldOut.flatMap { embeddings[Int($0) * width..<(Int($0) + 1) * width] }
        return trained.judge(
            clean: clean, mean: mean.map { Float($0 / Double(lines.count)) },
            noiseLevel: options.noiseLevel, seed: options.seed &+ 1)
    }
}

/// Rows of `output` = the embeddings of the lines at `places`.
private func gather(
    _ places: ArraySlice<Int>, of lines: [Int32], from embeddings: [Float],
    into output: inout Matrix
) {
    let width = output.columns
    let source = embeddings.span
    var target = output.mutableSpan
    for (row, place) in places.enumerated() {
        let start = Int(lines[place]) * width
        for c in 0..<width { target[row * width + c] = source[start + c] }
    }
}

/// Rows of `output` = the rows of `source` at `places`.
private func gather(
    _ places: ArraySlice<Int>, from source: borrowing Matrix, into output: inout Matrix
) {
    let width = output.columns
    let source = source.span
    var target = output.mutableSpan
    for (row, place) in places.enumerated() {
        for c in 0..<width { target[row * width + c] = source[place * width + c] }
    }
}

private func drawNoise(
    _ noise: inout GaussianNoise, on clean: borrowing Matrix, deviation: Float,
    into output: inout Matrix
) {
    var target = output.mutableSpan
    noise.add(to: clean.span, deviation: deviation, into: &target)
}

private func copy(_ values: Span<Float>, into output: inout Matrix) {
    var target = output.mutableSpan
    for i in values.indices { target[i] = values[i] }
}

func update(
    _ parameters: inout Matrix, by adam: inout Adam, _ gradient: borrowing Matrix
) {
    var parameters = parameters.mutableSpan
    adam.step(&parameters, gradient: gradient.span)
}

private func accumulate(_ values: borrowing Matrix, into sum: inout Matrix) {
    let values = values.span
    var sum = sum.mutableSpan
    for i in values.indices { sum[i] += values[i] }
}

private func snapshot(of parameters: borrowing Matrix) -> AutoencoderParameters {
    let flat = parameters.span
    return AutoencoderParameters(flat: Tensor(shape: [flat.count], copying: flat))
}
