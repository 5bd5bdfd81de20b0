public import Denoisers

/// What became of a training run that published a model.
public struct TrainingOutcome: Sendable {
    /// What training found.
    public var report: TrainingReport

    /// The version published.
    public var version: String

    /// The kind of the model.
    public var kind: DenoiserKind

    /// Why the version is not live; nil if it is.
    public var objection: String?

    /// What became of the adaptive denoiser; nil of other kinds.
    public var adaptation: AdaptationReport?

    /// Whether the version is live.
    public var isActivated: Bool { objection == nil }

    /// How far the adaptive denoiser went from its base to what training made of it, from 0 to 1;
    /// nil of other kinds.
    public var adaptedPart: Double? {
        switch adaptation?.outcome {
        case .adapted(let part)?: part
        case .tooFewLines?, .noGain?: 0
        case nil: kind == .adaptive ? 0 : nil
        }
    }

    /// Lines in the text, repetitions counted.
    public var lines: Int

    /// Distinct lines.
    public var distinct: Int

    /// The lines that were cut, repetitions counted, by their place among all lines of the text.
    public var truncated: TruncatedTexts

    /// How long each stage took, in order.
    public var stages: [Stage]

    /// One line if the version is live but may not survive a power cut.
    public var warning: String?

    /// Mean squared error of the denoised noisy training embeddings against the clean ones.
    public var loss: Double { report.finalLoss }

    /// Mean cosine to clean on held-out lines before denoising; nil if there were too few lines.
    public var noisyCosine: Double? { report.heldOut?.noisyCosine }

    /// Mean cosine to clean on held-out lines after denoising.
    public var denoisedCosine: Double? { report.heldOut?.denoisedCosine }

    init(
        report: TrainingReport, version: String, kind: DenoiserKind, objection: String?,
        adaptation: AdaptationReport?, lines: Int, distinct: Int, truncated: TruncatedTexts,
        stages: [Stage], warning: String?
    ) {
        self.report = report
        self.version = version
        self.kind = kind
        self.objection = objection
        self.adaptation = adaptation
        self.lines = lines
        self.distinct = distinct
        self.truncated = truncated
        self.stages = stages
        self.warning = warning
    }

    /// The outcome of a run that answers are made of without training.
    public init(
        loss: Double, version: String, noisyCosine: Double? = nil, denoisedCosine: Double? = nil,
        truncated: Int = 0, objection: String? = nil, stages: [Stage] = []
    ) {
        var heldOut: HeldOutReport?
        if let noisyCosine, let denoisedCosine {
            heldOut = HeldOutReport(
                rows: 1, noisyError: 0, denoisedError: 0, meanError: 0,
                noisyCosine: noisyCosine, denoisedCosine: denoisedCosine)
        }
        self.init(
            report: TrainingReport(
                trainedLines: 1, epochLosses: [loss], finalLoss: loss, heldOut: heldOut,
                seconds: 0, steps: 1),
            version: version, kind: .autoencoder, objection: objection, adaptation: nil, lines: 1,
            distinct: 1,
            truncated: TruncatedTexts(count: truncated, first: 0), stages: stages, warning: nil)
    }

    /// The run in one line.
    public var summary: String {
        var line =
            "trained model \(version) (\(kind.rawValue)) on \(lines) lines (\(distinct) distinct)"
        if truncated.count > 0 { line += ", \(truncated.count) of them cut" }
        line += ", loss \(report.finalLoss)"
        if let heldOut = report.heldOut {
            line += ", cosine to clean on \(heldOut.rows) held-out lines:"
            line += " noisy \(heldOut.noisyCosine), denoised \(heldOut.denoisedCosine)"
        } else {
            line += ", too few lines to judge it by"
        }
        switch adaptation?.outcome {
        case .adapted(let part)?: line += ", adapted by \(part)"
        case .noGain?: line += ", not adapted: no gain beyond its error without loss elsewhere"
        case .tooFewLines?: line += ", not adapted: too few lines"
        case nil:
            if kind == .adaptive { line += ", not adapted: embeddings have not length 1" }
        }
        if let objection { line += "; not activated: \(objection)" }
        return line
    }
}
