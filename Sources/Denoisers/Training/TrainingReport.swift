/// How good a model is on rows it was not trained on, under fresh noise.
public struct HeldOutReport: Sendable, Equatable {
    /// Distinct rows judged.
    public var rows: Int
    /// Mean squared error to clean of the noisy rows: about the noise level squared.
    public var noisyError: Double
    /// Mean squared error to clean of the denoised rows.
    public var denoisedError: Double
    /// Mean squared error to clean of always answering the training rows' mean.
    public var meanError: Double
    /// Mean cosine to clean of the noisy rows.
    public var noisyCosine: Double
    /// Mean cosine to clean of the denoised rows.
    public var denoisedCosine: Double

    /// A judgement with these figures.
    public init(
        rows: Int, noisyError: Double, denoisedError: Double, meanError: Double,
        noisyCosine: Double, denoisedCosine: Double
    ) {
        self.rows = rows
        self.noisyError = noisyError
        self.denoisedError = denoisedError
        self.meanError = meanError
        self.noisyCosine = noisyCosine
        self.denoisedCosine = denoisedCosine
    }
}

/// What a training run found.
public struct TrainingReport: Sendable, Equatable {
    /// Lines trained on, repetitions counted.
    public var trainedLines: Int
    /// The mean loss of each epoch's batches.
    public var epochLosses: [Double]
    /// Mean squared error between denoised noisy training rows and clean ones, after training.
    public var finalLoss: Double
    /// The judgement on held-out rows; nil below 20 distinct rows, which are too few to judge by.
    public var heldOut: HeldOutReport?
    /// Seconds of training, without embedding.
    public var seconds: Double
    /// Optimiser steps.
    public var steps: Int

    /// A report with these findings.
    public init(
        trainedLines: Int, epochLosses: [Double], finalLoss: Double, heldOut: HeldOutReport? = nil,
        seconds: Double, steps: Int
    ) {
        self.trainedLines = trainedLines
        self.epochLosses = epochLosses
        self.finalLoss = finalLoss
        self.heldOut = heldOut
        self.seconds = seconds
        self.steps = steps
    }
}
