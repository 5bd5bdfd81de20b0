public import Denoisers
internal import Kernels
public import System

/// The service itself: one encoder, one live denoiser, one trainer.
public final class DenoisingEngine: DenoisingService {
    private let embedder: TextEmbedder
    private let model: LiveModel
    private let training: TrainingRun
    private let runs: TrainingRuns
    private let options: DenoisingOptions
    private let team: WorkerPair?
    private let report: @Sendable (String) -> Void

    /// Ties the parts together.
    ///
    /// - Parameters:
    ///   - embedder: text to embeddings.
    ///   - model: what denoises, and where new models are published.
    ///   - training: how uploads are trained on.
    ///   - runs: counts the training runs and ends them.
    ///   - strength: how far rows may move.
    ///   - team: a second thread for many rows.
    ///   - report: told in one line how each training run ended.
    public init(
        embedder: TextEmbedder, model: LiveModel, training: TrainingRun,
        runs: TrainingRuns = TrainingRuns(), strength: DenoisingStrength = .auto,
        team: WorkerPair? = nil,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.embedder = embedder
        self.model = model
        self.training = training
        self.runs = runs
        options = DenoisingOptions(strength: strength, pilots: embedder.pilots)
        self.team = team
        self.report = report
    }

    public var isModelLoaded: Bool { model.current() != nil }

    public var facts: ServiceFacts {
        let statistics = embedder.statistics
        return ServiceFacts(
            model: model.current()?.facts, modelFault: model.fault?.description,
            strength: options.strength.rawValue, tokenLimit: embedder.tokenLimit,
            columns: embedder.columns,
            threads: embedder.threads,
            tokensPerSecond: statistics.isPaceMeasured ? statistics.tokensPerSecond : nil,
            instructionSet: InstructionSet.current.name,
            builtInModel: DenoiserModel.builtIn?.version)
    }

    public func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch {
        guard let model = model.current() else { throw .modelNotLoaded }
        let embedded = try embed(texts: texts, for: caller)
        var batch = denoise(embedded.values, noiseLevel, with: model)
        batch.truncated = embedded.truncated
        batch.tokens = embedded.tokens
        batch.stages.insert(contentsOf: embedded.stages, at: 0)
        return batch
    }

    public func embed(
        texts: [String], for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch {
        let embedded = try embedder.embed(texts, for: caller)
        return EmbeddingBatch(
            values: embedded.values, columns: embedder.columns,
            truncated: embedded.truncated.count, tokens: embedded.tokens, stages: embedded.stages)
    }

    public func denoise(
        embeddings: [Float], noiseLevel: Float
    ) throws(InferenceError) -> EmbeddingBatch {
        guard let model = model.current() else { throw .modelNotLoaded }
        return denoise(embeddings, noiseLevel, with: model)
    }

    private func denoise(
        _ embeddings: [Float], _ noiseLevel: Float, with model: DenoiserModel
    ) -> EmbeddingBatch {
        let began = ContinuousClock.now
        let rows = model.denoise(embeddings, noiseLevel: noiseLevel, options, team: team)
        return EmbeddingBatch(
            values: rows.values, columns: embedder.columns, truncated: 0,
            modelVersion: model.version, noiseEstimate: rows.summary.meanNoise,
            stages: [Stage("denoise", began.duration(to: .now))])
    }

    /// Trains on a thread of its own, at lower priority, and waits for it.
    ///
    /// - Throws: `overloaded` if the system gives no thread, `trainingBusy` at once if
    ///   `TrainingRuns` lets no more begin, and what a run throws.
    public func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        guard runs.begin() else { throw .trainingBusy(retryAfter: 5) }
        var end = TrainingRuns.End.failed
        defer { runs.end(end) }
        let deadline = ContinuousClock.now + training.timeLimit
        let outcome = Monitor<Result<TrainingOutcome, InferenceError>?>(nil)
        do throws(ThreadRefusal) {
            let thread = try SystemThread(niceness: 5) { [self] in
                let result = Result { () throws(InferenceError) in
                    try training(
                        on: text, publishingAt: model.path, with: embedder,
                        isCancelled: { runs.isCancelled || deadline <= .now },
                        progress: { runs.note($0) })
                }
                outcome.withLock { $0 = result }
            }
            thread.join()
        } catch {
            report("training failed: \(error)")
            throw .overloaded(retryAfter: 5)
        }
        guard let result = outcome.withLock({ $0 }) else {
            throw .failed("the training thread ended without a result")
        }
        let run: TrainingOutcome
        do {
            run = try result.get()
        } catch {
            let isLate = error == .trainingCancelled && !runs.isCancelled
            let seconds = Int(training.timeLimit.components.seconds)
            let reason = isLate ? .trainingTooLong(limit: seconds) : error
            report("training failed: \(reason.logText)")
            throw reason
        }
        end = run.isActivated ? .live : .kept
        model.refresh()
        report(run.summary)
        if let warning = run.warning { report(warning) }
        return run
    }
}
