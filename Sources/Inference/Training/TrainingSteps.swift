internal import Denoisers
internal import System

/// What training made of a text.
struct TrainedDenoiser {
    let denoiser: any Denoiser
    let report: TrainingReport
    /// What became of the adaptive denoiser; nil of other kinds.
    let adaptation: AdaptationReport?
    /// Clean embeddings that `denoiser` was not trained on.
    let heldOut: [Float]

    /// Whether it answers as the live or the built-in denoiser does: what nobody needs to judge
    /// again.
    var answersAsBefore: Bool {
        switch adaptation?.outcome {
        case .tooFewLines, .noGain: true
        case .adapted, nil: false
        }
    }
}

extension TrainingRun {
    /// Trains a denoiser of the run's kind.
    ///
    /// The original's network is trained in any case: files hold it for readers that know no other.
    ///
    /// - Parameters:
    ///   - live: the denoiser that is live.
    ///   - pilots: the encoder's.
    func train(
        _ lines: TrainingLines, from live: (any Denoiser)?, pilots: [Int],
        _ options: TrainingOptions, _ isCancelled: () -> Bool, _ progress: (Progress) -> Void
    ) throws(InferenceError) -> TrainedDenoiser {
        let adaptive = start == .continue ? live as? AdaptiveDenoiser : nil
        let autoencoder = start == .continue ? live as? AutoencoderDenoiser : nil
        var trainer = AutoencoderTrainer(
            embeddings: lines.embeddings, lines: lines.lines, options: options,
            start: autoencoder?.parameters ?? adaptive?.original, threads: availableCores())
        let (original, report): (AutoencoderParameters, TrainingReport)
        do throws(TrainingError) {
            (original, report) = try trainer.run(isCancelled: isCancelled) { epoch, loss in
                progress(.training(epoch: epoch, of: options.epochs, loss: loss))
            }
        } catch {
            if case .cancelled = error { throw .trainingCancelled }
            throw .trainingFailed("\(error)")
        }
        guard kind == .adaptive else {
            return TrainedDenoiser(
                denoiser: AutoencoderDenoiser(original), report: report, adaptation: nil,
                heldOut: trainer.heldOutRows)
        }
        if start == .scratch {
            let parameters = try train(lines, pilots: pilots, options, isCancelled, progress)
            return answer(
                with: AdaptiveDenoiser(parameters, original: original), lines, heldOut: [],
                report, nil, options)
        }
        return try adapt(
            lines, from: adaptive?.parameters, live: live as? AdaptiveDenoiser, original, report,
            options, isCancelled, progress)
    }

    /// Trains an adaptive denoiser from nothing, on all lines; `options` tell passes and seed.
    private func train(
        _ lines: TrainingLines, pilots: [Int], _ options: TrainingOptions,
        _ isCancelled: () -> Bool, _ progress: (Progress) -> Void
    ) throws(InferenceError) -> AdaptiveParameters {
        var settings = AdaptiveTrainingOptions()
        settings.samples = options.epochs * lines.distinct
        settings.seed = options.seed
        do throws(AdaptiveError) {
            var trainer = try AdaptiveTrainer(
                embeddings: lines.embeddings, pilots: pilots, options: settings,
                threads: availableCores())
            return try trainer.train(isCancelled: isCancelled) { step, _ in
                progress(.adapting(step: step, of: settings.steps))
            }.0
        } catch {
            if case .cancelled = error { throw .trainingCancelled }
            throw .trainingFailed("\(error)")
        }
    }

    /// Adapts the built-in denoiser, or `base`, to the lines.
    ///
    /// If the lines show no gain, the denoiser that is live keeps answering as it did.
    private func adapt(
        _ lines: TrainingLines, from base: AdaptiveParameters?, live: AdaptiveDenoiser?,
        _ original: AutoencoderParameters, _ trained: TrainingReport,
        _ options: TrainingOptions, _ isCancelled: () -> Bool, _ progress: (Progress) -> Void
    ) throws(InferenceError) -> TrainedDenoiser {
        let builtIn = (DenoiserModel.builtIn?.denoiser as? AdaptiveDenoiser)?.parameters
        guard let base = base ?? builtIn else {
            throw .failed("the built-in model is not adaptive")
        }
        var settings = AdaptationOptions()
        settings.seed = options.seed
        let chosen = AdaptiveDenoiser.adaptationLines(of: lines.distinct)
        let rows = lines.rows(chosen)
        var adapted = base
        var adaptation: AdaptationReport?
        do throws(AdaptiveError) {
            (adapted, adaptation) = try base.adapted(
                to: rows, replay: BuiltInRows.forReplay(),
                others: BuiltInRows.forJudgement(), options: settings,
                threads: availableCores(), isCancelled: isCancelled
            ) { step, count in progress(.adapting(step: step, of: count)) }
        } catch {
            switch error {
            case .cancelled: throw .trainingCancelled
            // An encoder that does not scale its embeddings to length 1: nothing can be adapted to
            // them.
            case .notClean: break
            default: throw .trainingFailed("\(error)")
            }
        }
        var answering = adapted
        if case .adapted? = adaptation?.outcome {} else if let live { answering = live.parameters }
        let denoiser = AdaptiveDenoiser(answering, original: original)
        let heldOut = AdaptationOptions.heldOut(of: chosen.count, seed: settings.seed)
        return answer(
            with: denoiser, lines, heldOut: lines.rows(heldOut.map { chosen[$0] }), trained,
            adaptation, options)
    }

    /// A trained denoiser with the report of its original network, its own figures in place of that
    /// one's.
    private func answer(
        with denoiser: AdaptiveDenoiser, _ lines: TrainingLines, heldOut: [Float],
        _ trained: TrainingReport, _ adaptation: AdaptationReport?, _ options: TrainingOptions
    ) -> TrainedDenoiser {
        var report = trained
        report.finalLoss = loss(of: denoiser, on: lines, options)
        report.heldOut =
            heldOut.isEmpty
            ? nil
            : denoiser.judge(
                clean: heldOut, mean: lines.mean, noiseLevel: options.noiseLevel,
                seed: options.seed &+ 1)
        return TrainedDenoiser(
            denoiser: denoiser, report: report, adaptation: adaptation, heldOut: heldOut)
    }

    /// The mean squared error of all lines, noisy and denoised, to clean.
    private func loss(
        of denoiser: AdaptiveDenoiser, on lines: TrainingLines, _ options: TrainingOptions
    ) -> Double {
        let block = 1024
        var sum = 0.0
        for start in stride(from: 0, to: lines.lines.count, by: block) {
            let numbers = lines.lines[start..<min(start + block, lines.lines.count)].map { Int($0) }
            let clean = lines.rows(numbers)
            let compared = denoiser.compareErrors(
                clean: clean, noiseLevel: options.noiseLevel,
                seed: options.seed &+ UInt64(start) &+ 3)
            sum += compared * Double(numbers.count)
        }
        return sum / Double(lines.lines.count)
    }
}

extension TrainingLines {
    /// The mean of the distinct lines' embeddings.
    fileprivate var mean: [Float] {
        var sums = [Double](repeating: 0, count: embeddingWidth)
        for i in embeddings.indices { sums[i % embeddingWidth] += Double(embeddings[i]) }
        return sums.map { Float($0 / Double(max(distinct, 1))) }
    }
}
