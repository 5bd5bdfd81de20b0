public import Denoisers
internal import JSON
public import ModelFiles
internal import System

/// Trains a denoiser on a text and publishes it.
public struct TrainingRun: Sendable {
    /// How a run goes on from what is live.
    public enum Start: String, Sendable, CaseIterable {
        /// From new random parameters, and from the built-in model's.
        case fresh
        /// From the live model's parameters.
        case `continue`
        /// From new random parameters, those of the adaptive denoiser, too.
        case scratch
    }

    /// When a new model is put live.
    public enum Activation: String, Sendable, CaseIterable {
        /// If it is not worse than doing nothing.
        case judged
        /// Whatever it does.
        case always
    }

    /// How far a run is.
    public enum Progress: Sendable {
        /// Distinct lines embedded so far.
        case embedding(done: Int, of: Int)
        /// Epochs trained so far, and the last one's mean loss.
        case training(epoch: Int, of: Int, loss: Double)
        /// Steps of the adaptation so far.
        case adapting(step: Int, of: Int)
    }

    /// The kind of the model that answers.
    public var kind = DenoiserKind.adaptive

    /// When it is put live.
    public var activation = Activation.judged

    /// How to train.
    public var options = TrainingOptions()

    /// What order, noise and initial parameters follow from; nil takes another for every run.
    public var seed: UInt64?

    /// What to start from.
    public var start = Start.fresh

    /// What asked for the run; the version remembers it.
    public var origin = Checkpoint.Origin.command

    /// The most lines of a text.
    public var lineLimit = 1_000_000

    /// How long a run for an upload may take before it is ended.
    public var timeLimit = Duration.seconds(3000)

    /// How long to wait while another run holds the lock.
    public var patience = Duration.seconds(2)

    /// Rows that every model is judged on, beside the held-out lines of its own text.
    var judgementRows: @Sendable () -> [Float] = { BuiltInRows.forJudgement() }

    /// The defaults.
    public init() {}

    /// Trains on UTF-8 `text` and publishes the result at `path`.
    ///
    /// The lock is held from before the first line is embedded until the model is published, so
    /// runs of all processes on the same file come one after the other.
    ///
    /// - Parameters:
    ///   - text: one training text a line.
    ///   - path: the model's file.
    ///   - embedder: turns lines into embeddings.
    ///   - isCancelled: asked often; true ends the run with `trainingCancelled` and nothing
    ///     changed.
    ///   - progress: told how far the run is.
    public func callAsFunction(
        on text: [UInt8], publishingAt path: String, with embedder: TextEmbedder,
        isCancelled: () -> Bool = { false }, progress: (Progress) -> Void
    ) throws(InferenceError) -> TrainingOutcome {
        let clock = ContinuousClock()
        let began = clock.now
        var options = options
        options.seed = seed ?? .random(in: 0...UInt64(Int.max))
        let count = try Corpus.lineCount(of: text, limit: lineLimit, isBlank: embedder.isBlank)
        try requireRoom(lines: count)
        let history = ModelHistory(path: path)
        let lock = try lock(history, isCancelled)
        let locked = clock.now
        // Only now: one run at a time holds what its corpus takes.
        let corpus = try Corpus(text, limit: lineLimit, isBlank: embedder.isBlank)
        let parent = try files { () throws(ModelFileError) in try history.parent() }
        let live = try live(parent, path)
        let (embeddings, cut) = try embedder.embedInBackground(corpus, isCancelled: isCancelled) {
            done in
            progress(.embedding(done: done, of: corpus.distinctCount))
        }
        let truncated = corpus.lines(among: cut)
        let embedded = clock.now
        let lines = TrainingLines(embeddings: embeddings, lines: corpus.lines)
        let trained = try train(
            lines, from: live, pilots: embedder.pilots, options, isCancelled, progress)
        let ended = clock.now
        let judgement =
            trained.answersAsBefore
            ? nil
            : ModelJudgement(
                of: trained.denoiser, onHeldOut: trained.heldOut, builtIn: judgementRows(),
                seed: options.seed &+ 2, isCancelled: isCancelled)
        if isCancelled() { throw .trainingCancelled }
        let objection = activation == .always ? nil : judgement?.objection
        let judged = clock.now
        let checkpoint = Checkpoint(
            tensors: trained.denoiser.tensors, kind: trained.denoiser.kind.rawValue,
            embeddingDimension: trained.denoiser.width,
            settings: settings(options), corpusDigest: corpus.digest,
            report: trained.report.text(
                corpus: corpus, truncated: truncated.count, trained.adaptation, judgement),
            origin: origin)
        let (version, warning) = try publish(
            checkpoint, in: history, replacing: parent?.version, isLive: objection == nil,
            under: lock)
        return TrainingOutcome(
            report: trained.report, version: version, kind: kind, objection: objection,
            adaptation: trained.adaptation, lines: corpus.lines.count,
            distinct: corpus.distinctCount, truncated: truncated,
            stages: [
                Stage("wait", locked - began), Stage("embed", embedded - locked),
                Stage("train", ended - embedded), Stage("judge", judged - ended),
                Stage("publish", clock.now - judged),
            ], warning: warning)
    }

    /// The denoiser of `parent`, which is live; nil if there is none or it cannot be read.
    ///
    /// - Throws: if the run is to continue from it.
    private func live(
        _ parent: Checkpoint?, _ path: String
    ) throws(InferenceError) -> (any Denoiser)? {
        guard let parent else { return nil }
        if start == .continue {
            return try files { () throws(ModelFileError) in
                try DenoiserModel(parent, file: path).denoiser
            }
        }
        return try? DenoiserModel(parent, file: path).denoiser
    }

    /// Bytes that a run on `lines` lines takes at most, the text itself left out.
    public func memory(lines: Int) -> Int {
        let adaptive =
            switch (kind, start) {
            case (.autoencoder, _): 0
            case (.adaptive, .scratch): AdaptiveDenoiser.trainingMemory(lines: lines)
            case (.adaptive, _): AdaptiveDenoiser.adaptationMemory(lines: lines)
            }
        return Corpus.memory(lines: lines)
            + max(AutoencoderTrainer.memory(lines: lines, options), adaptive)
    }

    /// Bytes beside a run's own: OpenBLAS's buffers, the judgement, and the allocator's gaps.
    ///
    /// OpenBLAS has no error for too little memory: it asks for its buffers again without end.
    private static let reserve = 32 << 20

    /// Fails if the system does not give what a run on `lines` lines takes; later it could only end
    /// the process.
    private func requireRoom(lines: Int) throws(InferenceError) {
        let bytes = memory(lines: lines) + AdaptiveDenoiser.networkMemory + Self.reserve
        do throws(SystemError) { try requireMemory(bytes) } catch {
            throw .trainingFailed(
                "no \(bytes >> 20) MiB of memory to train on \(lines) lines: \(error)")
        }
    }

    /// Takes the model's lock, waiting as long as `patience` and the caller allow.
    private func lock(
        _ history: ModelHistory, _ isCancelled: () -> Bool
    ) throws(InferenceError) -> TrainingLock {
        let deadline = ContinuousClock.now + patience
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            do throws(ModelFileError) {
                return try history.lock(waiting: min(left, .milliseconds(200)))
            } catch {
                guard case .busy = error, ContinuousClock.now < deadline else {
                    throw inferenceError(error)
                }
                if isCancelled() { throw .trainingCancelled }
            }
        }
    }

    /// Publishes `checkpoint`, live or as a version that is not.
    ///
    /// A version that only a power cut could undo is live, with a warning.
    private func publish(
        _ checkpoint: Checkpoint, in history: ModelHistory, replacing parent: ModelVersion?,
        isLive: Bool, under lock: borrowing TrainingLock
    ) throws(InferenceError) -> (version: String, warning: String?) {
        do throws(ModelFileError) {
            let published =
                isLive
                ? try history.publish(checkpoint, replacing: parent, under: lock)
                : try history.shelve(checkpoint, beside: parent, under: lock)
            return (published.version.description, nil)
        } catch {
            if case .unconfirmed(_, let version, _) = error { return (version, "\(error)") }
            throw inferenceError(error)
        }
    }

    private func settings(_ options: TrainingOptions) -> String {
        var settings = JSONObject()
        settings["noise_level"] = .double(Double(options.noiseLevel.description) ?? 0)
        settings["epochs"] = .integer(options.epochs)
        settings["batch_size"] = .integer(options.batchSize)
        settings["learning_rate"] = .double(options.learningRate)
        settings["noise"] = .string(options.noise.rawValue)
        settings["seed"] = .integer(Int(truncatingIfNeeded: options.seed))
        settings["start"] = .string(start.rawValue)
        return JSONValue.object(settings).text
    }
}

/// The embeddings of a text's lines.
struct TrainingLines {
    /// Of distinct lines, [distinct, 384].
    let embeddings: [Float]
    /// For every line of the text its row in `embeddings`.
    let lines: [Int32]

    /// Distinct lines.
    var distinct: Int { embeddings.count / embeddingWidth }

    /// The embeddings of these distinct lines.
    func rows(_ numbers: [Int]) -> [Float] {
        numbers.flatMap { embeddings[$0 * embeddingWidth..<($0 + 1) * embeddingWidth] }
    }
}

/// Runs `body`, its failures told in the service's terms.
func files<Value: ~Copyable>(
    _ body: () throws(ModelFileError) -> Value
) throws(InferenceError) -> Value {
    do throws(ModelFileError) {
        return try body()
    } catch {
        throw inferenceError(error)
    }
}

private func inferenceError(_ error: ModelFileError) -> InferenceError {
    switch error {
    case .busy: return .trainingBusy(retryAfter: 5)
    // Another has published meanwhile, though the lock is ours: its file was removed under a run.
    case .superseded: return .trainingBusy(retryAfter: 1)
    default: break
    }
    return .storageFailed(answer: error.withoutFolders, log: "\(error)")
}
