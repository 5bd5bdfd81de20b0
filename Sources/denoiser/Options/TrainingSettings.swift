import API
public import ArgumentParser
public import Denoisers
public import Inference
import ModelFiles

extension TrainingOptions.Noise: ExpressibleByArgument {}
extension TrainingRun.Start: ExpressibleByArgument {}

/// How a denoiser is trained.
struct TrainingSettings: ParsableArguments {
    @OptionGroup var kind: KindSettings

    @Option(
        noiseLevels,
        help: "Standard deviation of the noise that an autoencoder is trained to remove.")
    var trainingNoise = TrainingOptions().noiseLevel

    @Option(
        1...1_000_000, help: "Passes over the text.")
    var epochs = TrainingOptions().epochs

    @Option(
        1...1_000_000_000, help: "Lines in a step.")
    var batchSize = TrainingOptions().batchSize

    @Option(
        1e-30...1e6, help: "Adam's step size.")
    var learningRate = TrainingOptions().learningRate

    @Option(
        help: """
            When noise is drawn: fresh for every batch, or fixed once for the whole text as the \
            original application does.
            """)
    var noise = TrainingOptions().noise

    @Option(
        help: "What order, noise and initial parameters follow from (default: another each run).",
        transform: seedNumber)
    var seed: UInt64?

    @Option(
        help: """
            Start from fresh parameters and the built-in adaptive denoiser, continue from the live \
            model's, or train the adaptive denoiser from scratch, too, which takes at least 1000 lines.
            """)
    var start = TrainingRun.Start.fresh

    @Option(
        .timeOrNone, help: "How long to wait while another training run holds the model's lock.",
        valueName: "seconds")
    var trainingWait = 2

    /// The options as a value.
    var choice: TrainingChoice {
        var options = TrainingOptions()
        options.noiseLevel = trainingNoise
        options.epochs = epochs
        options.batchSize = batchSize
        options.learningRate = learningRate
        options.noise = noise
        return TrainingChoice(
            kind: kind.denoiser, activation: kind.activate, options: options, seed: seed,
            start: start, wait: trainingWait)
    }

    /// A run with these settings.
    func run(lineLimit: Int) -> TrainingRun { choice.run(lineLimit: lineLimit) }
}

/// How a denoiser is trained, as a value.
struct TrainingChoice: Equatable, Sendable {
    /// The kind of denoiser that a run makes.
    var kind: DenoiserKind

    /// When a new model is put live.
    var activation: TrainingRun.Activation

    var options: TrainingOptions

    /// What order, noise and initial parameters follow from; nil takes another for every run.
    var seed: UInt64?

    /// What a run starts from.
    var start: TrainingRun.Start

    /// Seconds to wait while another run holds the model's lock.
    var wait: Int

    /// A run for an upload within `limits`.
    func run(_ limits: ServiceLimits) -> TrainingRun {
        var run = run(lineLimit: limits.request.trainingLines)
        run.timeLimit = .seconds(limits.trainingTime)
        run.origin = .upload
        return run
    }

    /// A run on at most `lineLimit` lines.
    func run(lineLimit: Int) -> TrainingRun {
        var run = TrainingRun()
        run.kind = kind
        run.activation = activation
        run.options = options
        run.seed = seed
        run.start = start
        run.lineLimit = lineLimit
        run.patience = .seconds(wait)
        return run
    }
}
