internal import Kernels
internal import Tensors
internal import System

/// One optimiser step on a batch that lies in the buffers: forward, backward, Adam.
///
/// The loss is the mean of |f − e|² / (s + 0.03), with s the level that was drawn; the network sees
/// the level that the row's length tells.
struct AdaptiveStep: Sendable {
    let buffers: AdaptiveBuffers
    /// Rows in the batch.
    let rows: Int
    let adam: AdamStep

    private var block: SharedMatrix { buffers.block }
    private var shape: AdaptiveShape { buffers.shape }

    /// Runs the share's pieces.
    ///
    /// - Parameters:
    ///   - prepare: lays a half's targets, noisy rows and weights down.
    ///   - addLoss: gets each half's part of the batch's loss before the step.
    func run(
        _ worker: inout Worker, prepare: (_ half: Int) -> Void,
        addLoss: (_ half: Int, _ loss: Double) -> Void
    ) {
        worker.phase(2) { half in
            prepare(half)
            let count = buffers.rows(half, of: rows).count
            addLoss(half, forward(half, count))
            backward(half, count)
        }
        worker.phase(2) { half in move(chunk(half, of: 2, in: shape.parameterCount, unit: 16)) }
    }

    /// Leaves r's gradient in its place.
    private func forward(_ half: Int, _ rows: Int) -> Double {
        let (places, constants) = (buffers.halves[half], buffers.constants)
        let (shape, mean, w) = (shape, buffers.meanOnAxes, constants.variances)
        var levels = unsafe block.mutableSpan(from: places.levels)
        levelsOfLengths(
            block.span(from: places.noisy), shift: mean.span, rows: rows, into: &levels)
        var input = unsafe block.mutableSpan(from: places.input)
        networkInput(
            block.span(from: places.noisy),
            mean: block.span(from: buffers.zeros).extracting(first: shape.width), w: w.span,
            s: block.span(from: places.levels), features: AdaptiveShape.features, rows: rows,
            stride: shape.inputs, into: &input)
        multiply(
            block.view(from: places.input, rows: rows, columns: shape.inputs),
            firstWeight.transposed,
            into: unsafe block.mutableView(
                from: places.both, rows: rows, columns: 2 * shape.hidden))
        var units = unsafe block.mutableSpan(from: places.gated)
        gated(block.span(from: places.both), rows: rows, hidden: shape.hidden, into: &units)
        var residual = unsafe block.mutableSpan(from: places.residual)
        multiply(
            block.view(from: places.gated, rows: rows, columns: shape.hidden),
            secondWeight.transposed,
            into: MutableMatrixView(&residual, rows: rows, columns: shape.width))
        addBias(
            MutableMatrixView(&residual, rows: rows, columns: shape.width),
            bias: block.span.extracting(shape.bias), rectify: false)
        return posteriorLoss(
            &residual, y: block.span(from: places.noisy), target: block.span(from: places.target),
            w: w.span, s: block.span(from: places.levels),
            weights: block.span(from: places.weights),
            rows: rows)
    }

    /// From r's gradient that of every parameter, over this half's rows.
    private func backward(_ half: Int, _ rows: Int) {
        let (places, shape) = (buffers.halves[half], shape)
        let block = buffers.block
        let residual = block.view(from: places.residual, rows: rows, columns: shape.width)
        multiply(
            residual.transposed,
            block.view(from: places.gated, rows: rows, columns: shape.hidden),
            into: unsafe block.mutableView(
                from: places.gradient + shape.second.lowerBound, rows: shape.width,
                columns: shape.hidden))
        var sums = unsafe block.mutableSpan(from: places.gradient + shape.bias.lowerBound)
        var dBias = sums._mutatingExtracting(first: shape.width)
        addBiasBackward(residual, dBias: &dBias)
        multiply(
            residual, secondWeight,
            into: unsafe block.mutableView(
                from: places.gatedGradient, rows: rows, columns: shape.hidden))
        var both = unsafe block.mutableSpan(from: places.both)
        gatedBackward(
            &both, gradient: block.span(from: places.gatedGradient), rows: rows,
            hidden: shape.hidden)
        multiply(
            block.view(from: places.both, rows: rows, columns: 2 * shape.hidden).transposed,
            block.view(from: places.input, rows: rows, columns: shape.inputs),
            into: unsafe block.mutableView(
                from: places.gradient, rows: 2 * shape.hidden, columns: shape.inputs))
    }

    /// The hidden layer's weight, [2 · hidden, inputs].
    private var firstWeight: MatrixView {
        @_lifetime(borrow self)
        get {
            buffers.block.view(
                from: shape.first.lowerBound, rows: 2 * shape.hidden, columns: shape.inputs)
        }
    }

    /// The last layer's weight, [width, hidden].
    private var secondWeight: MatrixView {
        @_lifetime(borrow self)
        get {
            buffers.block.view(
                from: shape.second.lowerBound, rows: shape.width, columns: shape.hidden)
        }
    }

    /// Adam on these parameters, against the sum of both halves' gradients.
    private func move(_ range: Range<Int>) {
        // What is added and moved at once stays in the first-level cache.
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 1024) {
            let count = min(1024, range.upperBound - start)
            var all = unsafe block.mutableSpan(from: buffers.halves[0].gradient + start)
            var gradient = all._mutatingExtracting(first: count)
            add(
                block.span(from: buffers.halves[1].gradient + start).extracting(first: count),
                to: &gradient)
            var x = unsafe block.mutableSpan(from: start)
            var m = unsafe block.mutableSpan(from: buffers.firstMoment + start)
            var v = unsafe block.mutableSpan(from: buffers.secondMoment + start)
            adam.move(&x, &m, &v, gradient: gradient.span)
        }
    }
}
