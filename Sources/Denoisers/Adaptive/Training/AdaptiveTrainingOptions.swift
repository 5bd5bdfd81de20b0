/// How an adaptive denoiser is trained from scratch; the defaults are the recipe's.
public struct AdaptiveTrainingOptions: Sendable, Equatable {
    /// Units of the hidden layer.
    public var hidden = 800

    /// Rows that are looked at in all, repetitions counted; the number of steps follows from it.
    public var samples = 6_500_000

    /// Rows in a step.
    public var batchSize = 512

    /// The highest step size of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101; without decay
    /// of the weights).
    public var learningRate = 2e-3

    /// Noise levels are drawn evenly from 0 to this.
    public var mostNoise: Float = 0.3

    /// What initial numbers, order and noise follow from; equal seeds give equal models on one kind
    /// of processor.
    public var seed: UInt64 = 0

    /// The recipe's settings.
    public init() {}

    /// Steps of the run.
    public var steps: Int { max(1, samples / batchSize) }
}

/// What a training run found.
public struct AdaptiveTrainingReport: Sendable, Equatable {
    /// Rows trained on.
    public var rows: Int
    /// Optimiser steps.
    public var steps: Int
    /// The mean loss of each hundredth of the run: the mean of |f − e|² / (s + 0.03).
    public var losses: [Double]
    /// Seconds of training.
    public var seconds: Double
}
