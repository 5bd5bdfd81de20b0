internal import Kernels
internal import Tensors
internal import System

/// A training run of an adaptive denoiser over clean embeddings.
public struct AdaptiveTrainer: ~Copyable {
    private let options: AdaptiveTrainingOptions
    private let constants: AdaptiveConstants
    private let shape: AdaptiveShape
    private let run: AdaptiveRun
    private let team: WorkerPair?
    private let rows: Int
    private var order: RandomOrder

    /// The fewest rows that the principal axes of 384 elements can be told from.
    public static let leastRows = 1000

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - embeddings: clean embeddings of distinct lines, each of length 1, row-major [rows,
    ///     width].
    ///   - width: elements of a row, a multiple of 64.
    ///   - pilots: elements that the encoder leaves 0 (`pilotCoordinates`).
    ///   - options: how to train.
    ///   - threads: 2 or more let two threads share every step; the result is the same, bit for
    ///     bit.
    /// - Throws: `tooFewRows`; `notClean` if a row's length is not 1; `parameters` if a number is
    ///   not finite.
    public init(
        embeddings: [Float], width: Int = 384, pilots: [Int], options: AdaptiveTrainingOptions,
        threads: Int = 1
    ) throws(AdaptiveError) {
        let count = embeddings.count / width
        precondition(
            embeddings.count == count * width && width % 64 == 0, "\(embeddings.count) values")
        guard count >= Self.leastRows else {
            throw .tooFewRows(count, needed: Self.leastRows)
        }
        try requireClean(embeddings, width)
        var random = SeededRandom(seed: options.seed)
        let constants = try AdaptiveConstants(of: embeddings, width: width, pilots: pilots)
        // Nothing throws from here on: a value without copies is whole or not there.
        self.options = options
        self.constants = constants
        rows = count
        shape = AdaptiveShape(width: width, hidden: options.hidden)
        let batch = min(options.batchSize, count)
        let initial = initialParameters(shape, seed: random.next())
        run = AdaptiveRun(
            buffers: AdaptiveBuffers(
                batch: batch, constants: constants, shape: shape, initial: initial.span),
            rows: constants.sharedOnAxes(embeddings.span),
            schedule: OneCycle(rate: options.learningRate, steps: options.steps),
            mostNoise: options.mostNoise, seed: random.next())
        team = threads > 1 ? WorkerPair.shared : nil
        order = RandomOrder(count: count, random: random)
    }

    /// Bytes that a run over `rows` rows takes, besides the rows that it is given.
    public static func memory(
        rows: Int, width: Int = 384, options: AdaptiveTrainingOptions
    ) -> Int {
        let shape = AdaptiveShape(width: width, hidden: options.hidden)
        return 4 * rows * width * 2 + AdaptiveBuffers.memory(batch: options.batchSize, shape: shape)
            + 8 * width * width * 4
    }

    /// Trains all steps.
    ///
    /// - Parameters:
    ///   - isCancelled: asked before every few steps; true ends the run.
    ///   - progress: gets the steps behind us and the mean loss of the last ones.
    /// - Throws: `diverged` as soon as the loss is not finite, `cancelled` on request.
    public mutating func train(
        isCancelled: () -> Bool = { false },
        progress: (_ steps: Int, _ loss: Double) -> Void = { _, _ in }
    ) throws(AdaptiveError) -> (AdaptiveParameters, AdaptiveTrainingReport) {
        let clock = ContinuousClock()
        let began = clock.now
        let steps = options.steps
        var hundredths = [Double](repeating: 0, count: min(100, steps))
        var counts = [Int](repeating: 0, count: hundredths.count)
        var pace = TeamPace()
        var done = 0
        while done < steps {
            if isCancelled() { throw .cancelled }
            let count = min(Self.stepsBetweenLooks, pace.steps, steps - done)
            let batches = (0..<count).map { _ in order.next(run.buffers.batch) }
            let portionBegan = clock.now
            let sum = run.run(done, batches, pace.together ? team : nil)
            if team != nil { pace.took((clock.now - portionBegan) / .seconds(1), steps: count) }
            done += count
            guard sum.isFinite else { throw .diverged(step: done) }
            let part = (done - 1) * hundredths.count / steps
            hundredths[part] += sum
            counts[part] += count
            progress(done, sum / Double(count))
        }
        let parameters = AdaptiveParameters(
            constants: constants, shape: shape, flat: run.buffers.parameters,
            strengths: StrengthTables())
        guard parameters.isFinite else { throw .diverged(step: steps) }
        let losses = zip(hundredths, counts).filter { $0.1 > 0 }.map { $0.0 / Double($0.1) }
        let report = AdaptiveTrainingReport(
            rows: rows, steps: steps, losses: losses,
            seconds: (clock.now - began) / .seconds(1))
        return (parameters, report)
    }

    /// Steps that take about a tenth of a second.
    private static let stepsBetweenLooks = 4
}

/// Numbers in random order, and all of them before any comes again.
struct RandomOrder {
    private let count: Int
    private var random: SeededRandom
    private var numbers: [Int32] = []
    private var place = 0

    init(count: Int, random: SeededRandom) {
        self.count = count
        self.random = random
    }

    /// The next `n` numbers from 0 ..< count, of which there are as many or more.
    mutating func next(_ n: Int) -> [Int32] {
        precondition(n <= count, "\(n) of \(count)")
        if numbers.count - place < n {
            if numbers.isEmpty { numbers = Array(0..<Int32(count)) }
            numbers.shuffle(using: &random)
            place = 0
        }
        defer { place += n }
        return Array(numbers[place..<place + n])
    }
}

/// Refuses rows that are no clean embeddings: of another length than 1.
func requireClean(_ rows: [Float], _ width: Int) throws(AdaptiveError) {
    let count = rows.count / width
    var squares = [Double](repeating: 0, count: count)
    var span = squares.mutableSpan
    squaredLengths(rows.span, rows: count, columns: width, into: &span)
    for (row, square) in squares.enumerated() {
        let length = square.squareRoot()
        guard abs(length - 1) < 1e-2 else { throw .notClean(row: row, length: length) }
    }
}

/// Weights and biases uniform in ±1/√fan-in (PyTorch's default), but 0 in the last layer: so
/// training begins with the Wiener filter.
func initialParameters(_ shape: AdaptiveShape, seed: UInt64) -> Tensor {
    var random = SeededRandom(seed: seed)
    func numbers(_ rows: [Int], fanIn: Int) -> Tensor {
        let bound = 1 / Float(fanIn).squareRoot()
        let values = (0..<rows.reduce(1, *)).map { _ in
            Float.random(in: -bound...bound, using: &random)
        }
        return Tensor(shape: rows, copying: values.span)
    }
    func zeros(_ extents: [Int]) -> Tensor {
        let values = [Float](repeating: 0, count: extents.reduce(1, *))
        return Tensor(shape: extents, copying: values.span)
    }
    let (rows, count) = (2 * shape.hidden, AdaptiveShape.features.count)
    return TrainedLayers(
        inputWeight: numbers([rows, shape.width], fanIn: shape.width),
        inputBias: numbers([rows], fanIn: shape.width),
        levelWeight: numbers([rows, count], fanIn: count),
        outputWeight: zeros([shape.width, shape.hidden]), outputBias: zeros([shape.width])
    ).flat(shape)
}
