internal import Kernels
internal import System
internal import Tensors

/// One optimiser step on a batch: forward, backward, Adam.
///
/// Work is split in two. The first and last layers are split by embedding column, the middle layers
/// by output neuron. One thread reads and writes a half's weights, inputs and targets, so they stay
/// in its core's cache; threads exchange only the narrow results between layers. A stage ends
/// before the next reads what the other half wrote. One thread computes in the same two halves, so
/// the result does not depend on the number of threads.
struct TrainingStep: Sendable {
    let buffers: TrainingBuffers
    /// Rows in the batch.
    let rows: Int
    let adam: AdamStep

    private var block: SharedMatrix { buffers.block }

    /// What a half of the batch's elements add to the first layer's sums.
    ///
    /// A step begins so, in the stage that writes the batch: it needs nothing of the other half.
    static func begin(_ buffers: TrainingBuffers, half: Int) {
        let layer = buffers.layout.layers[0]
        var sums = unsafe buffers.block.mutableSpan(from: buffers.layout.sums(half))
        multiply(
            buffers.block.span(from: layer.weight(half)), .none,
            buffers.block.span(from: buffers.layout.inputLanes(half)), .none,
            m: layer.made, n: buffers.layout.lanes, k: layer.read, into: &sums)
    }

    /// Runs the share's pieces, which are halves, after `begin`.
    ///
    /// - Parameters:
    ///   - addLoss: gets each half's part of the batch's mean squared error before the step.
    ///   - afterwards: what else a half does in the last stage, when its inputs and targets are
    ///     free.
    func run(
        _ worker: inout Worker, addLoss: (_ half: Int, _ loss: Double) -> Void,
        afterwards: (_ half: Int) -> Void
    ) {
        let last = buffers.layout.layers.count - 1
        worker.phase(2) { half in
            join(half)
            forward(1, half)
        }
        for index in 2..<last { worker.phase(2) { half in forward(index, half) } }
        worker.phase(2) { half in
            forward(last, half)
            addLoss(half, measure(buffers.layout.layers[last], half))
            propagate(buffers.layout.layers[last], half)
        }
        for index in stride(from: last - 1, to: 0, by: -1) {
            worker.phase(2) { half in
                rectify(index, half)
                propagate(buffers.layout.layers[index], half)
            }
        }
        worker.phase(2) { half in
            rectify(0, half)
            for index in 0...last { move(index, half) }
            afterwards(half)
        }
    }

    /// The first layer's result from both halves' sums.
    private func join(_ half: Int) {
        let layer = buffers.layout.layers[0]
        var y = unsafe block.mutableSpan(from: layer.halves[half].resultLanes)
        addRowBias(
            block.span(from: buffers.layout.sums(0)), block.span(from: buffers.layout.sums(1)),
            bias: block.span(from: layer.bias).extracting(first: layer.made),
            rectify: layer.rectify, columns: buffers.layout.lanes, into: &y)
        layInRows(layer, half)
    }

    /// y[made, lanes] = rectified(weight · x[input, lanes] + bias), and its transpose, the half's
    /// part of the result.
    ///
    /// With the batch's rows in the lanes nothing is summed across lanes, which is faster than x ·
    /// weightᵀ.
    private func forward(_ index: Int, _ half: Int) {
        let layer = buffers.layout.layers[index]
        var y = unsafe block.mutableSpan(from: layer.halves[half].resultLanes)
        multiply(
            block.span(from: layer.weight(half)), .none,
            block.span(from: buffers.layout.layers[index - 1].whole(half).resultLanes), .none,
            m: layer.made, n: buffers.layout.lanes, k: layer.read, into: &y)
        let bias = block.span(from: layer.bias + half * layer.made).extracting(first: layer.made)
        addRowBias(&y, bias: bias, rectify: layer.rectify, columns: buffers.layout.lanes)
        layInRows(layer, half)
    }

    /// Transposes the half's part of a layer's result from lanes into rows.
    private func layInRows(_ layer: TrainingLayout.LayerPlaces, _ half: Int) {
        var result = unsafe block.mutableSpan(from: layer.halves[half].result)
        transpose(
            block.span(from: layer.halves[half].resultLanes), rows: layer.made, columns: rows,
            strideX: buffers.layout.lanes, strideY: layer.stride, into: &result)
    }

    /// The gradient of the mean squared error over the half's columns of the result, and their part
    /// of it.
    private func measure(_ layer: TrainingLayout.LayerPlaces, _ half: Int) -> Double {
        let elements = rows * layer.output
        var dY = unsafe block.mutableSpan(from: layer.halves[half].gradient)
        let sum = squaredError(
            block.span(from: layer.halves[half].result),
            target: block.span(from: buffers.layout.target(half)),
            scale: 2 / Float(elements), rows: rows, columns: layer.made, stride: layer.stride,
            dY: &dY)
        return sum / Double(elements)
    }

    /// In the forward pass the weight met x as x · weightᵀ: dX = dY · weight, of which this is the
    /// half's part.
    private func propagate(_ layer: TrainingLayout.LayerPlaces, _ half: Int) {
        var part = unsafe block.mutableSpan(from: buffers.layout.part(layer, half))
        multiply(
            block.span(from: layer.halves[half].gradient), .none,
            block.span(from: layer.weight(half)), .none,
            m: rows, n: layer.input, k: layer.made, strideA: layer.stride, into: &part)
    }

    /// The gradient of what the half made of layer `index`, from both parts that the next layer's
    /// halves left.
    private func rectify(_ index: Int, _ half: Int) {
        let (layer, next) = (buffers.layout.layers[index], buffers.layout.layers[index + 1])
        let first = layer.halves[half].result - layer.whole(half).result
        var dX = unsafe block.mutableSpan(from: layer.halves[half].gradient)
        rectifierBackward(
            block.span(from: buffers.layout.part(next, 0) + first),
            block.span(from: buffers.layout.part(next, 1) + first),
            y: block.span(from: layer.halves[half].result),
            rows: rows, columns: layer.made, stride: layer.stride, into: &dX)
    }

    /// Adam on the half's weight, whose gradient is dYᵀ · x, and on half of the biases, whose
    /// gradient is dY's column sums.
    private func move(_ index: Int, _ half: Int) {
        let layer = buffers.layout.layers[index]
        let gradient = layer.halves[half].gradient
        let input =
            index == 0
            ? buffers.layout.input(half) : buffers.layout.layers[index - 1].whole(half).result
        let weight = layer.weight(half)
        var x = unsafe block.mutableSpan(from: weight)
        var m = unsafe block.mutableSpan(from: buffers.layout.firstMoment + weight)
        var v = unsafe block.mutableSpan(from: buffers.layout.secondMoment + weight)
        adam.move(
            &x, &m, &v, gradientOf: block.span(from: gradient), strideA: layer.stride,
            block.span(from: input), rows: layer.made, columns: layer.read, depth: rows)

        let count = layer.output / 2
        let bias = layer.bias + half * count
        // Of the first layer each half has the gradient of all outputs.
        let dY = block.span(from: gradient + (layer.made == layer.output ? half * count : 0))
        var sums = unsafe block.mutableSpan(from: buffers.layout.biasGradient(half))
        var dBias = sums._mutatingExtracting(first: count)
        addBiasBackward(dY, rows: rows, stride: layer.stride, dBias: &dBias)
        x = unsafe block.mutableSpan(from: bias)
        m = unsafe block.mutableSpan(from: buffers.layout.firstMoment + bias)
        v = unsafe block.mutableSpan(from: buffers.layout.secondMoment + bias)
        adam.move(&x, &m, &v, gradient: dBias.span)
    }
}
