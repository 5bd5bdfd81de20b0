public import Denoisers

/// What became of a training run that published a model.
public struct TrainingOutcome: Sendable {
    /// What training found.
    public var report: TrainingReport

    /// The version published.
    public var version: String

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
        report: TrainingReport, version: String, lines: Int, distinct: Int,
        truncated: TruncatedTexts, stages: [Stage], warning: String?
    ) {
        self.report = report
        self.version = version
        self.lines = lines
        self.distinct = distinct
        self.truncated = truncated
        self.stages = stages
        self.warning = warning
    }

    /// The outcome of a run that answers are made of without training.
    public init(
        loss: Double, version: String, noisyCosine: Double? = nil, denoisedCosine: Double? = nil,
        truncated: Int = 0, stages: [Stage] = []
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
            version: version, lines: 1, distinct: 1,
            truncated: TruncatedTexts(count: truncated, first: 0), stages: stages, warning: nil)
    }

    /// The run in one line.
    public var summary: String {
        var line = "trained model \(version) on \(lines) lines (\(distinct) distinct)"
        if truncated.count > 0 { line += ", \(truncated.count) of them cut" }
        line += ", loss \(report.finalLoss)"
        if let heldOut = report.heldOut {
            line += ", cosine to clean on \(heldOut.rows) held-out lines:"
            line += " noisy \(heldOut.noisyCosine), denoised \(heldOut.denoisedCosine)"
        } else {
            line += ", too few lines to judge it by"
        }
        return line
    }
}
