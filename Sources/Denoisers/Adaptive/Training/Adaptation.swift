internal import Kernels
internal import Tensors
internal import System

/// How an adaptive denoiser is fitted to the lines of an upload.
public struct AdaptationOptions: Sendable, Equatable {
    /// The highest step size of AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101; without decay
    /// of the weights).
    public var learningRate = 5e-4

    /// Rows in a step; half of them are replayed.
    public var batchSize = 128

    /// How much of mean cosine to clean, over three levels of noise, text of other kinds may lose.
    public var mostLoss = 0.004

    /// What held-out lines, order and noise follow from.
    public var seed: UInt64 = 0

    /// The recipe's settings.
    public init() {}

    /// Below so many distinct lines nothing is changed: what they would teach cannot be told from
    /// chance.
    public static let leastLines = 24

    /// The numbers of the lines that judge an adaptation with this seed, and of none below
    /// `leastLines`.
    public static func heldOut(of lines: Int, seed: UInt64) -> [Int] {
        guard lines >= leastLines else { return [] }
        var random = SeededRandom(seed: seed)
        return split(lines, &random).heldOut
    }

    /// The numbers of lines that judge, a fifth and at most 100, and of those to train on.
    static func split(
        _ lines: Int, _ random: inout SeededRandom
    ) -> (heldOut: [Int], trained: [Int]) {
        let order = (0..<lines).shuffled(using: &random)
        let apart = min(100, lines / 5)
        return (Array(order[..<apart]), Array(order[apart...]))
    }

    /// Steps for an upload of `lines` distinct lines.
    public static func steps(lines: Int) -> Int {
        lines < 400 ? 150 : lines < 4000 ? 300 : 600
    }
}

/// What an upload made of a model.
public struct AdaptationReport: Sendable, Equatable {
    /// Why the model is what it is.
    public enum Outcome: Sendable, Equatable {
        /// There were too few lines.
        case tooFewLines
        /// The held-out lines show no gain beyond its error, or other text loses too much for it.
        case noGain
        /// The model went this part of the way, above 0 and at most 1, from the base to what
        /// training made of it.
        case adapted(part: Double)
    }

    public var outcome: Outcome
    /// Lines trained on, and lines that judged.
    public var trainedLines, heldOutLines: Int
    /// Optimiser steps.
    public var steps: Int
    /// The base's mean loss on the held-out lines, |f − e|² / (s + 0.03) over five levels; 0 if
    /// nothing was judged.
    public var baseLoss: Double
    /// By how much the best part lowers it, and the standard error of that.
    public var gain, gainError: Double
    /// Seconds of training and judging.
    public var seconds: Double
}

extension AdaptiveParameters {
    /// Fits all trained numbers to `lines`, as far as lines kept apart show a gain.
    ///
    /// Every step sees as many stored rows as lines, so that the network keeps what it can. The
    /// result is averaged with the base (Wortsman et al. 2022, arXiv 2109.01903) by 0, ⅛, ¼, ½, ¾ or
    /// 1, whichever loses least on a fifth of the lines, at most 100, under 8 draws of noise at
    /// each of 5 levels. Of these only parts are taken that cost `others` no more than
    /// `mostLoss`. The result is kept only if it gains more than one standard error.
    ///
    /// - Parameters:
    ///   - lines: clean embeddings of distinct lines, [lines, width], each of length 1.
    ///   - replay: clean embeddings of what the base was trained on, [rows, width]; may be empty.
    ///   - others: clean embeddings of text of other kinds, [rows, width]; may be empty.
    ///   - options: how to train.
    ///   - threads: 2 or more let two threads share every step; the result is the same, bit for
    ///     bit.
    ///   - isCancelled: asked before every few steps; true ends the run.
    ///   - progress: gets the steps behind us and their number.
    /// - Returns: the adapted network, or this one, and what was found.
    /// - Throws: `notClean`, `diverged`, or `cancelled` on request.
    public func adapted(
        to lines: [Float], replay: [Float], others: [Float] = [],
        options: AdaptationOptions = AdaptationOptions(), threads: Int = 1,
        isCancelled: () -> Bool = { false },
        progress: (_ steps: Int, _ of: Int) -> Void = { _, _ in }
    ) throws(AdaptiveError) -> (AdaptiveParameters, AdaptationReport) {
        let clock = ContinuousClock()
        let began = clock.now
        let width = shape.width
        let count = lines.count / width
        precondition(
            lines.count == count * width && replay.count % width == 0, "\(lines.count) values")
        var report = AdaptationReport(
            outcome: .tooFewLines, trainedLines: 0, heldOutLines: 0, steps: 0, baseLoss: 0,
            gain: 0, gainError: 0, seconds: 0)
        guard count >= AdaptationOptions.leastLines else { return (self, report) }
        try requireClean(lines, width)
        try requireClean(replay, width)
        var random = SeededRandom(seed: options.seed)
        let (heldOut, trained) = AdaptationOptions.split(count, &random)
        let apart = heldOut.count
        let judged = gathered(lines, heldOut)
        report.heldOutLines = apart
        report.trainedLines = count - apart
        report.steps = AdaptationOptions.steps(lines: count)
        let tuned = try tune(
            on: gathered(lines, trained) + replay, stored: replay.count / width,
            options: options, steps: report.steps, random: random, threads: threads,
            isCancelled: isCancelled, progress: progress)
        let judge = LossOnLines(clean: judged, width: width, seed: options.seed &+ 1)
        let base = judge.losses(of: self)
        report.baseLoss = base.reduce(0, +) / Double(apart)
        report.outcome = .noGain
        var best = self
        let kept = CosineOnOthers(clean: others, width: width, seed: options.seed &+ 2)
        let before = kept.mean(of: self)
        for part in [0.125, 0.25, 0.5, 0.75, 1] {
            if isCancelled() { throw .cancelled }
            let candidate = with(flat: between(flat, tuned, Float(part)))
            let gains = zip(base, judge.losses(of: candidate)).map { $0 - $1 }
            let gain = gains.reduce(0, +) / Double(apart)
            guard gain > report.gain, kept.mean(of: candidate) >= before - options.mostLoss else {
                continue
            }
            report.gain = gain
            report.gainError = standardError(gains)
            report.outcome = .adapted(part: part)
            best = candidate
        }
        if !(report.gain > report.gainError) || !best.isFinite {
            report.outcome = .noGain
            best = self
        }
        report.seconds = (clock.now - began) / .seconds(1)
        return (best, report)
    }

    /// What training on `rows`, the last `stored` of which are replayed, makes of all trained
    /// numbers.
    private func tune(
        on rows: [Float], stored: Int, options: AdaptationOptions, steps: Int,
        random: SeededRandom, threads: Int, isCancelled: () -> Bool,
        progress: (_ steps: Int, _ of: Int) -> Void
    ) throws(AdaptiveError) -> Tensor {
        let own = rows.count / shape.width - stored
        let replayed = min(options.batchSize / 2, stored)
        let fresh = min(options.batchSize - replayed, own)
        var random = random
        let noiseSeed = random.next()
        var lineOrder = RandomOrder(count: own, random: SeededRandom(seed: random.next()))
        var replayOrder = RandomOrder(count: stored, random: SeededRandom(seed: random.next()))
        let run = AdaptiveRun(
            buffers: AdaptiveBuffers(
                batch: fresh + replayed, constants: constants, shape: shape, initial: flat.span),
            rows: constants.sharedOnAxes(rows.span),
            schedule: OneCycle(rate: options.learningRate, steps: steps), mostNoise: 0.3,
            seed: noiseSeed)
        let team = threads > 1 ? WorkerPair.shared : nil
        let portion = 4
        for first in stride(from: 0, to: steps, by: portion) {
            if isCancelled() { throw .cancelled }
            let batches = (0..<min(portion, steps - first)).map { _ in
                lineOrder.next(fresh) + replayOrder.next(replayed).map { $0 + Int32(own) }
            }
            let loss = run.run(first, batches, team)
            guard loss.isFinite else { throw .diverged(step: first + batches.count) }
            progress(first + batches.count, steps)
        }
        return run.buffers.parameters
    }
}

/// a + part · (b − a).
private func between(_ a: Tensor, _ b: Tensor, _ part: Float) -> Tensor {
    let (first, second) = (a.span, b.span)
    let values = first.indices.map { first[$0] + part * (second[$0] - first[$0]) }
    return Tensor(shape: a.shape, copying: values.span)
}

/// The standard error of the mean of `values`.
func standardError(_ values: [Double]) -> Double {
    let count = Double(values.count)
    guard count > 1 else { return .infinity }
    let mean = values.reduce(0, +) / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / (count - 1) / count).squareRoot()
}

/// A network's loss on lines that it was not trained on, under noise that is the same for every
/// network.
private struct LossOnLines {
    private static let levels: [Float] = [0.03, 0.07, 0.1, 0.2, 0.3]
    private static let draws = 8

    let clean: [Float]
    let width: Int
    let seed: UInt64

    /// Each line's mean loss over levels and draws.
    func losses(of parameters: AdaptiveParameters) -> [Double] {
        let count = clean.count / width
        var losses = [Double](repeating: 0, count: count)
        for (index, level) in Self.levels.enumerated() {
            for draw in 0..<Self.draws {
                let noisy = addingNoise(
                    to: clean, noiseLevel: level,
                    seed: seed &+ UInt64(index * Self.draws + draw))
                let answers = parameters.answers(
                    noisy, NoiseEstimate(level: level, rows: count), Array(0..<count))
                for row in 0..<count {
                    let range = row * width..<(row + 1) * width
                    let error =
                        meanSquaredError(
                            answers.span.extracting(range), target: clean.span.extracting(range))
                        * Double(width)
                    losses[row] += error / Double(level + AdaptiveRun.floor)
                }
            }
        }
        return losses.map { $0 / Double(Self.levels.count * Self.draws) }
    }
}

/// How close a network's answers come to clean embeddings of text that it is not adapted to.
private struct CosineOnOthers {
    /// [rows, width], each of length 1.
    let clean: [Float]
    let width: Int
    /// What the noise follows from; it is the same for every network.
    let seed: UInt64

    private static let levels: [Float] = [0.05, 0.1, 0.2]

    /// The mean over rows and levels; 0 without rows.
    func mean(of parameters: AdaptiveParameters) -> Double {
        let count = clean.count / width
        guard count > 0 else { return 0 }
        var sum = 0.0
        for level in Self.levels {
            let answers = parameters.answers(
                addingNoise(to: clean, noiseLevel: level, seed: seed),
                NoiseEstimate(level: level, rows: count), Array(0..<count))
            for row in 0..<count {
                let range = row * width..<(row + 1) * width
                sum += cosine(answers.span.extracting(range), clean.span.extracting(range))
            }
        }
        return sum / Double(count * Self.levels.count)
    }
}
