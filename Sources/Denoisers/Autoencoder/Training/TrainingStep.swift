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
        let (block, layout) = (buffers.block, buffers.layout)
        multiply(
            block.view(from: layer.weight(half), rows: layer.made, columns: layer.read),
            block.view(from: layout.inputLanes(half), rows: layer.read, columns: layout.lanes),
            into: unsafe block.mutableView(
                from: layout.sums(half), rows: layer.made, columns: layout.lanes))
    }

    /// Runs the worker's chunks, which are halves, after `begin`.
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
        let layout = buffers.layout
        addRowBias(
            block.view(from: layout.sums(0), rows: layer.made, columns: layout.lanes),
            block.view(from: layout.sums(1), rows: layer.made, columns: layout.lanes),
            bias: block.span(from: layer.bias).extracting(first: layer.made),
            rectify: layer.rectify,
            into: unsafe block.mutableView(
                from: layer.halves[half].resultLanes, rows: layer.made, columns: layout.lanes))
        layInRows(layer, half)
    }

    /// y[made, lanes] = rectified(weight · x[input, lanes] + bias), and its transpose, the half's
    /// part of the result.
    ///
    /// With the batch's rows in the lanes nothing is summed across lanes. That is faster than
    /// x · weightᵀ.
    private func forward(_ index: Int, _ half: Int) {
        let layer = buffers.layout.layers[index]
        let input = buffers.layout.layers[index - 1].whole(half).resultLanes
        let (output, lanes) = (layer.halves[half].resultLanes, buffers.layout.lanes)
        multiply(
            block.view(from: layer.weight(half), rows: layer.made, columns: layer.read),
            block.view(from: input, rows: layer.read, columns: lanes),
            into: unsafe block.mutableView(from: output, rows: layer.made, columns: lanes))
        addRowBias(
            unsafe block.mutableView(from: output, rows: layer.made, columns: lanes),
            bias: block.span(from: layer.bias + half * layer.made).extracting(first: layer.made),
            rectify: layer.rectify)
        layInRows(layer, half)
    }

    /// Transposes the half's part of a layer's result from lanes into rows.
    private func layInRows(_ layer: TrainingLayout.LayerPlaces, _ half: Int) {
        let places = layer.halves[half]
        transpose(
            block.view(
                from: places.resultLanes, rows: layer.made, columns: rows,
                stride: buffers.layout.lanes),
            into: unsafe block.mutableView(
                from: places.result, rows: rows, columns: layer.made, stride: layer.stride))
    }

    /// The gradient of the mean squared error over the half's columns of the result, and their part
    /// of it.
    private func measure(_ layer: TrainingLayout.LayerPlaces, _ half: Int) -> Double {
        let elements = rows * layer.output
        let places = layer.halves[half]
        let sum = squaredError(
            view(places.result, layer), target: view(buffers.layout.target(half), layer),
            scale: 2 / Float(elements), dY: unsafe mutableView(places.gradient, layer))
        return sum / Double(elements)
    }

    /// In the forward pass the weight met x as x · weightᵀ: dX = dY · weight, of which this is the
    /// half's part.
    private func propagate(_ layer: TrainingLayout.LayerPlaces, _ half: Int) {
        multiply(
            view(layer.halves[half].gradient, layer),
            block.view(from: layer.weight(half), rows: layer.made, columns: layer.input),
            into: unsafe block.mutableView(
                from: buffers.layout.part(layer, half), rows: rows, columns: layer.input))
    }

    /// The gradient of what the half made of layer `index`, from both parts that the next layer's
    /// halves left.
    private func rectify(_ index: Int, _ half: Int) {
        let (layer, next) = (buffers.layout.layers[index], buffers.layout.layers[index + 1])
        let first = layer.halves[half].result - layer.whole(half).result
        rectifierBackward(
            view(buffers.layout.part(next, 0) + first, layer),
            view(buffers.layout.part(next, 1) + first, layer),
            y: view(layer.halves[half].result, layer),
            into: unsafe mutableView(layer.halves[half].gradient, layer))
    }

    /// [rows, made] at a place, with rows as far apart as those of the layer's result.
    @_lifetime(borrow self)
    private func view(_ place: Int, _ layer: TrainingLayout.LayerPlaces) -> MatrixView {
        buffers.block.view(from: place, rows: rows, columns: layer.made, stride: layer.stride)
    }

    /// The same for writing.
    @unsafe
    @_lifetime(borrow self)
    private func mutableView(
        _ place: Int, _ layer: TrainingLayout.LayerPlaces
    ) -> MutableMatrixView {
        unsafe buffers.block.mutableView(
            from: place, rows: rows, columns: layer.made, stride: layer.stride)
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
            &x, &m, &v, gradientOf: view(gradient, layer),
            block.view(from: input, rows: rows, columns: layer.read))

        let count = layer.output / 2
        let bias = layer.bias + half * count
        // Of the first layer each half has the gradient of all outputs.
        let dY = gradient + (layer.made == layer.output ? half * count : 0)
        var sums = unsafe block.mutableSpan(from: buffers.layout.biasGradient(half))
        var dBias = sums._mutatingExtracting(first: count)
        addBiasBackward(
            block.view(from: dY, rows: rows, columns: count, stride: layer.stride), dBias: &dBias)
        x = unsafe block.mutableSpan(from: bias)
        m = unsafe block.mutableSpan(from: buffers.layout.firstMoment + bias)
        v = unsafe block.mutableSpan(from: buffers.layout.secondMoment + bias)
        adam.move(&x, &m, &v, gradient: dBias.span)
    }
}
