internal import Kernels
internal import Tensors

/// A trained adaptive denoiser's numbers, immutable and shared.
///
/// Of a noisy row x = e + s · n with |e| = 1 the network tells the mean of e: the answer of the
/// Wiener filter, and a residual that it learned, in units of the filter's own error. How that is
/// done stands at `AdaptiveWorkspace`; how strong the noise is, at `estimateNoise`; how far a row
/// then moves, at `StrengthTables`.
public struct AdaptiveParameters: Sendable {
    /// The network's extents.
    public let shape: AdaptiveShape

    /// The mean of clean embeddings, [width].
    let mean: Tensor
    /// The principal axes of clean embeddings, a column each, [width, width].
    let axes: Tensor
    /// The variances along them, all above 0, [width].
    let variances: Tensor
    /// The trained numbers, as `AdaptiveShape` lays them out.
    let flat: Tensor
    /// Elements that are 0 in every clean embedding; may be none.
    public private(set) var pilots: [Int]
    /// How far rows move.
    public let strengths: StrengthTables

    /// The mean along the axes, [width].
    let meanOnAxes: Tensor
    /// What the blind estimate compares.
    let blind: BlindTables

    init(
        constants: AdaptiveConstants, shape: AdaptiveShape, flat: Tensor, strengths: StrengthTables
    ) {
        precondition(
            flat.count == shape.parameterCount && constants.variances.count == shape.width,
            "\(flat.count) parameters of \(shape)")
        self.shape = shape
        mean = constants.mean
        axes = constants.axes
        variances = constants.variances
        self.flat = flat
        pilots = constants.pilots
        self.strengths = strengths
        meanOnAxes = constants.meanOnAxes
        blind = BlindTables(variances: constants.variances.span)
    }

    /// What does not change in training.
    var constants: AdaptiveConstants {
        AdaptiveConstants(mean: mean, axes: axes, variances: variances, pilots: pilots)
    }

    /// The same network with other tables of how far rows move.
    public func with(_ strengths: StrengthTables) -> AdaptiveParameters {
        AdaptiveParameters(
            constants: constants, shape: shape, flat: flat, strengths: strengths)
    }

    /// The same with those of its pilots that are among `pilots`, the ones of an encoder.
    func keeping(pilots: [Int]) -> AdaptiveParameters {
        var copy = self
        copy.pilots.removeAll { !pilots.contains($0) }
        return copy
    }

    /// The same but for the trained numbers.
    func with(flat: Tensor) -> AdaptiveParameters {
        AdaptiveParameters(
            constants: constants, shape: shape, flat: flat, strengths: strengths)
    }

    /// Whether every number is finite, and every variance above 0.
    public var isFinite: Bool {
        func isFinite(_ tensor: Tensor) -> Bool {
            let span = tensor.span
            for i in span.indices where !span[i].isFinite { return false }
            return true
        }
        let w = variances.span
        for i in w.indices where !(w[i] > 0) { return false }
        return isFinite(mean) && isFinite(axes) && isFinite(variances) && isFinite(flat)
    }
}

/// What an adaptive denoiser knows of clean embeddings, and training leaves alone.
struct AdaptiveConstants: Sendable {
    /// [width].
    let mean: Tensor
    /// A column for each principal axis, [width, width].
    let axes: Tensor
    /// [width].
    let variances: Tensor
    /// Elements that are always 0.
    let pilots: [Int]

    /// The mean along the axes, [width].
    var meanOnAxes: Tensor {
        let width = variances.count
        var result = [Float](repeating: 0, count: width)
        var span = result.mutableSpan
        multiply(
            MatrixView(mean.span, rows: 1, columns: width),
            MatrixView(axes.span, rows: width, columns: width),
            into: MutableMatrixView(&span, rows: 1, columns: width))
        return Tensor(shape: [width], copying: result.span)
    }
}
