internal import Kernels
internal import Tensors

/// What training steps of an adaptive denoiser read and write, in one block that both threads of a
/// team reach.
///
/// A step's batch falls into two halves of its rows, for one thread as well, so the result does not
/// depend on the number of threads. Training stays on the principal axes: there the noise of a row
/// is distributed as at home, and errors are as long.
struct AdaptiveBuffers: Sendable {
    /// Where a half of the batch lies.
    struct Half: Sendable {
        /// Clean and noisy rows on the axes, [rows, width].
        let target, noisy: Int
        /// Noise levels by the rows' lengths, and what each row counts in the loss, [rows].
        let levels, weights: Int
        /// What the hidden layer reads, [rows, inputs].
        let input: Int
        /// [p; q] and then its gradient, [rows, 2 · hidden].
        let both: Int
        /// silu(p) · q and its gradient, [rows, hidden].
        let gated, gatedGradient: Int
        /// r and then its gradient, [rows, width].
        let residual: Int
        /// The gradient of all parameters.
        let gradient: Int
    }

    let shape: AdaptiveShape
    let constants: AdaptiveConstants
    /// The mean on the axes, [width].
    let meanOnAxes: Tensor
    /// Everything; the parameters begin it.
    let block: SharedMatrix
    /// Adam's moments, laid out like the parameters.
    let firstMoment, secondMoment: Int
    /// [width].
    let zeros: Int
    let halves: InlineArray<2, Half>
    /// The most rows of a batch.
    let batch: Int

    /// Buffers for batches of up to `batch` rows, training from `initial`.
    init(batch: Int, constants: AdaptiveConstants, shape: AdaptiveShape, initial: Span<Float>) {
        precondition(initial.count == shape.parameterCount, "\(initial.count) parameters")
        var end = 0
        func reserve(_ count: Int) -> Int {
            defer { end += (count + 15) / 16 * 16 }
            return end
        }
        _ = reserve(shape.parameterCount)
        firstMoment = reserve(shape.parameterCount)
        secondMoment = reserve(shape.parameterCount)
        zeros = reserve(shape.width)
        let rows = (batch + 1) / 2
        halves = InlineArray { _ in
            Half(
                target: reserve(rows * shape.width), noisy: reserve(rows * shape.width),
                levels: reserve(rows), weights: reserve(rows),
                input: reserve(rows * shape.inputs), both: reserve(rows * 2 * shape.hidden),
                gated: reserve(rows * shape.hidden), gatedGradient: reserve(rows * shape.hidden),
                residual: reserve(rows * shape.width), gradient: reserve(shape.parameterCount))
        }
        self.batch = batch
        self.shape = shape
        self.constants = constants
        meanOnAxes = constants.meanOnAxes
        block = SharedMatrix(rows: 1, columns: end)
        var start = unsafe block.mutableSpan()
        copy(initial, into: &start)
    }

    /// Bytes of the buffers.
    static func memory(batch: Int, shape: AdaptiveShape) -> Int {
        let rows = 2 * ((batch + 1) / 2)
        let row = 3 * shape.width + shape.inputs + 4 * shape.hidden + 2
        return 4 * (5 * shape.parameterCount + shape.width + rows * row) + 64 * 30
    }

    /// The part of a batch of `rows` rows that is this half's.
    func rows(_ half: Int, of rows: Int) -> Range<Int> {
        half == 0 ? 0..<(rows + 1) / 2 : (rows + 1) / 2..<rows
    }

    /// The parameters as they are now.
    var parameters: Tensor {
        let block = block
        return Tensor(
            shape: [shape.parameterCount],
            copying: block.span.extracting(first: shape.parameterCount))
    }
}
