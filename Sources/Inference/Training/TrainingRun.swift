public import Denoisers
internal import JSON
public import ModelFiles
internal import System

/// Trains a denoiser on a text and publishes it.
public struct TrainingRun: Sendable {
    /// How a run goes on from what is live.
    public enum Start: String, Sendable, CaseIterable {
        /// From new random parameters.
        case fresh
        /// From the live model's parameters.
        case `continue`
    }

    /// How far a run is.
    public enum Progress: Sendable {
        /// Distinct lines embedded so far.
        case embedding(done: Int, of: Int)
        /// Epochs trained so far, and the last one's mean loss.
        case training(epoch: Int, of: Int, loss: Double)
    }

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

    /// The defaults.
    public init() {}

    /// Trains on UTF-8 `text` and puts the result live at `path`.
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
        _ = try Corpus.lineCount(of: text, limit: lineLimit, isBlank: embedder.isBlank)
        let history = ModelHistory(path: path)
        let lock = try lock(history, isCancelled)
        let locked = clock.now
        // Only now: one run at a time holds what its corpus takes.
        let corpus = try Corpus(text, limit: lineLimit, isBlank: embedder.isBlank)
        let parent = try files { () throws(ModelFileError) in try history.parent() }
        var initial: AutoencoderDenoiser?
        if start == .continue, let parent {
            initial = try files { () throws(ModelFileError) in
                try DenoiserModel(parent, file: path).denoiser as? AutoencoderDenoiser
            }
        }
        let (embeddings, cut) = try embedder.embedInBackground(corpus, isCancelled: isCancelled) {
            done in
            progress(.embedding(done: done, of: corpus.distinctCount))
        }
        let truncated = corpus.lines(among: cut)
        let embedded = clock.now
        let (denoiser, report) = try train(
            embeddings, corpus, initial, options, isCancelled, progress)
        let trained = clock.now
        let checkpoint = Checkpoint(
            tensors: denoiser.tensors, kind: denoiser.kind.rawValue,
            embeddingDimension: denoiser.width,
            settings: settings(options), corpusDigest: corpus.digest,
            report: report.text(
                lines: corpus.lines.count, distinct: corpus.distinctCount,
                truncated: truncated.count),
            origin: origin)
        let (version, warning) = try publish(
            checkpoint, in: history, replacing: parent?.version, under: lock)
        return TrainingOutcome(
            report: report, version: version,
            lines: corpus.lines.count, distinct: corpus.distinctCount, truncated: truncated,
            stages: [
                Stage("wait", locked - began),
                Stage("embed", embedded - locked),
                Stage("train", trained - embedded),
                Stage("publish", clock.now - trained),
            ], warning: warning)
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

    /// Puts `checkpoint` live; a version that only a power cut could undo is live, with a warning.
    private func publish(
        _ checkpoint: Checkpoint, in history: ModelHistory, replacing parent: ModelVersion?,
        under lock: borrowing TrainingLock
    ) throws(InferenceError) -> (version: String, warning: String?) {
        do throws(ModelFileError) {
            let published = try history.publish(checkpoint, replacing: parent, under: lock)
            return (published.version.description, nil)
        } catch {
            if case .unconfirmed(_, let version, _) = error { return (version, "\(error)") }
            throw inferenceError(error)
        }
    }

    private func train(
        _ embeddings: [Float], _ corpus: Corpus, _ initial: AutoencoderDenoiser?,
        _ options: TrainingOptions, _ isCancelled: () -> Bool, _ progress: (Progress) -> Void
    ) throws(InferenceError) -> (AutoencoderDenoiser, TrainingReport) {
        var trainer = AutoencoderTrainer(
            embeddings: embeddings, lines: corpus.lines, options: options,
            start: initial?.parameters, threads: availableCores())
        do throws(TrainingError) {
            let (parameters, report) = try trainer.run(isCancelled: isCancelled) { epoch, loss in
                progress(.training(epoch: epoch, of: options.epochs, loss: loss))
            }
            return (AutoencoderDenoiser(parameters), report)
        } catch {
            if case .cancelled = error { throw .trainingCancelled }
            throw .trainingFailed("\(error)")
        }
    }

    /// Bytes that a run on `lines` lines takes at most, the text itself left out.
    public static func memory(lines: Int, _ options: TrainingOptions) -> Int {
        Corpus.memory(lines: lines) + AutoencoderTrainer.memory(lines: lines, options)
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

/// At most a thousand of `values`, evenly spaced, with the first and the last: a model's file has
/// to stay one that is read.
private func thinned(_ values: [Double]) -> [Double] {
    guard values.count > 1000 else { return values }
    return (0..<1000).map { values[$0 * (values.count - 1) / 999] }
}

extension TrainingReport {
    /// The report as JSON text.
    func text(lines: Int, distinct: Int, truncated: Int) -> String {
        var report = JSONObject()
        report["lines"] = .integer(lines)
        report["distinct_lines"] = .integer(distinct)
        report["truncated_lines"] = .integer(truncated)
        report["trained_lines"] = .integer(trainedLines)
        report["final_loss"] = .double(finalLoss)
        report["seconds"] = .double(seconds)
        report["steps"] = .integer(steps)
        report["epoch_losses"] = .array(thinned(epochLosses).map { .double($0) })
        if let heldOut {
            var judged = JSONObject()
            judged["rows"] = .integer(heldOut.rows)
            judged["noisy_mse"] = .double(heldOut.noisyError)
            judged["denoised_mse"] = .double(heldOut.denoisedError)
            judged["mean_predictor_mse"] = .double(heldOut.meanError)
            judged["noisy_cosine"] = .double(heldOut.noisyCosine)
            judged["denoised_cosine"] = .double(heldOut.denoisedCosine)
            report["held_out"] = .object(judged)
        } else {
            report["held_out"] = .null
        }
        return JSONValue.object(report).text
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
