internal import Kernels
internal import Tensors

/// The cosine of two rows; 0 if one of them is all zeros.
public func cosine(_ a: Span<Float>, _ b: Span<Float>) -> Double {
    var ab = 0.0
    var aa = 0.0
    var bb = 0.0
    for i in a.indices {
        ab += Double(a[i]) * Double(b[i])
        aa += Double(a[i]) * Double(a[i])
        bb += Double(b[i]) * Double(b[i])
    }
    let scale = (aa * bb).squareRoot()
    return scale > 0 ? ab / scale : 0
}

/// The mean cosine of the rows of `a` and `b`, [rows, width] each.
func meanCosine(_ a: Span<Float>, _ b: Span<Float>, width: Int = embeddingWidth) -> Double {
    let rows = a.count / width
    guard rows > 0 else { return 0 }
    var sum = 0.0
    for row in 0..<rows {
        let range = row * width..<(row + 1) * width
        sum += cosine(a.extracting(range), b.extracting(range))
    }
    return sum / Double(rows)
}

/// `values` with Gaussian noise of standard deviation `noiseLevel` that follows from `seed`.
public func addingNoise(to values: [Float], noiseLevel: Float, seed: UInt64) -> [Float] {
    var noise = GaussianNoise(seed: seed)
    var result = values
    var span = result.mutableSpan
    noise.add(to: values.span, deviation: noiseLevel, into: &span)
    return result
}

/// Recall@1: the part of `rows` whose nearest row of `clean` by cosine is their own, [rows, width]
/// each.
public func recallAtOne(
    of rows: [Float], among clean: [Float], width: Int = embeddingWidth
) -> Double {
    let count = clean.count / width
    guard count > 0 else { return 0 }
    var targets = clean
    var targetSpan = targets.mutableSpan
    scaleRowsToLengthOne(MutableMatrixView(&targetSpan, rows: count, columns: width))
    let block = 64
    var scores = Matrix(rows: block, columns: count)
    var hits = 0
    for start in stride(from: 0, to: count, by: block) {
        let end = min(start + block, count)
        scores.rows = end - start
        // A query's own length does not change which target is nearest.
        var products = scores.mutableSpan
        multiply(
            MatrixView(
                rows.span.extracting(start * width..<end * width), rows: end - start,
                columns: width),
            MatrixView(targets.span, rows: count, columns: width).transposed,
            into: MutableMatrixView(&products, rows: end - start, columns: count))
        for row in start..<end {
            let line = products.span.extracting((row - start) * count..<(row - start + 1) * count)
            var best = 0
            for i in line.indices where line[i] > line[best] { best = i }
            if best == row { hits += 1 }
        }
    }
    return Double(hits) / Double(count)
}

/// Clean embeddings against the same with noise, before and after denoising.
public struct NoiseComparison: Sendable {
    /// Mean squared errors to clean.
    public var noisyError, denoisedError: Double
    /// Mean cosines to clean.
    public var noisyCosine, denoisedCosine: Double
    /// The part of rows whose nearest clean row is their own.
    public var noisyRecall, denoisedRecall: Double
}

extension Denoiser {
    /// Compares `clean` [rows, width] with noisy and denoised copies; the noise follows from
    /// `seed`.
    public func compare(
        clean: [Float], noiseLevel: Float, seed: UInt64,
        _ options: DenoisingOptions = DenoisingOptions()
    ) -> NoiseComparison {
        let noisy = addingNoise(to: clean, noiseLevel: noiseLevel, seed: seed)
        let denoised = denoise(noisy, options, team: nil).values
        return NoiseComparison(
            noisyError: meanSquaredError(noisy.span, target: clean.span),
            denoisedError: meanSquaredError(denoised.span, target: clean.span),
            noisyCosine: meanCosine(noisy.span, clean.span, width: width),
            denoisedCosine: meanCosine(denoised.span, clean.span, width: width),
            noisyRecall: recallAtOne(of: noisy, among: clean, width: width),
            denoisedRecall: recallAtOne(of: denoised, among: clean, width: width))
    }

    /// The mean squared error to `clean` [rows, width] of noisy rows, denoised as far as the
    /// network would have them go; the noise follows from `seed`.
    public func compareErrors(clean: [Float], noiseLevel: Float, seed: UInt64) -> Double {
        let noisy = addingNoise(to: clean, noiseLevel: noiseLevel, seed: seed)
        let denoised = denoise(noisy, DenoisingOptions(strength: .restore), team: nil).values
        return meanSquaredError(denoised.span, target: clean.span)
    }

    /// Judges the model on `clean` [rows, width] under fresh noise from `seed`.
    ///
    /// - Parameters:
    ///   - clean: rows the model was not trained on.
    ///   - mean: what the mean predictor always answers, [width].
    ///   - noiseLevel: standard deviation of the noise.
    ///   - seed: what the noise follows from.
    public func judge(
        clean: [Float], mean: [Float], noiseLevel: Float, seed: UInt64
    ) -> HeldOutReport {
        let noisy = addingNoise(to: clean, noiseLevel: noiseLevel, seed: seed)
        let denoised = denoise(noisy, DenoisingOptions(), team: nil).values
        var meanError = 0.0
        for start in stride(from: 0, to: clean.count, by: width) {
            meanError += meanSquaredError(
                mean.span, target: clean.span.extracting(start..<start + width))
        }
        let rows = clean.count / width
        return HeldOutReport(
            rows: rows,
            noisyError: meanSquaredError(noisy.span, target: clean.span),
            denoisedError: meanSquaredError(denoised.span, target: clean.span),
            meanError: meanError / Double(max(rows, 1)),
            noisyCosine: meanCosine(noisy.span, clean.span, width: width),
            denoisedCosine: meanCosine(denoised.span, clean.span, width: width))
    }
}
