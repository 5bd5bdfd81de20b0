internal import Kernels
internal import Threads

/// One optimiser step on a batch: forward, backward, Adam.
///
/// Each layer's outputs fall into two halves. With two threads a half's weights are read and written by one
/// of them, so they stay in that core's cache; threads exchange activations. A stage ends where the next reads
/// what the other half wrote. The halves are there for one thread as well, so the result does not depend on
/// the number of threads.
struct TrainingStep: Sendable {
    let buffers: TrainingBuffers
    /// Rows in the batch.
    let rows: Int
    /// Which of the two inputs and targets hold it.
    let turn: Int
    let adam: AdamStep

    /// Runs the share's pieces, which are halves.
    ///
    /// - Parameter addLoss: gets each half's part of the batch's mean squared error before the step.
    func run(_ share: inout Share, addLoss: (_ half: Int, _ loss: Double) -> Void) {
        let last = buffers.layers.count - 1
        for index in 0..<last { share.stage(2) { half in forward(index, half) } }
        share.stage(2) { half in
            forward(last, half)
            addLoss(half, measure(buffers.layers[last], half))
            propagate(buffers.layers[last], half)
        }
        for index in stride(from: last - 1, to: 0, by: -1) {
            share.stage(2) { half in
                rectify(index, half)
                propagate(buffers.layers[index], half)
            }
        }
        share.stage(2) { half in
            rectify(0, half)
            for index in 0...last { move(index, half) }
        }
    }

    /// The batch, or the result of the layer before.
    private func input(of index: Int) -> Int {
        index == 0 ? buffers.input(turn: turn) : buffers.layers[index - 1].result
    }

    /// y[half, lanes] = rectified(weight · x[input, lanes] + bias), and its transpose, [rows, half].
    ///
    /// With the batch's rows in the lanes nothing is summed across lanes: so all four layers take 0.7 of the time
    /// that x · weightᵀ takes.
    private func forward(_ index: Int, _ half: Int) {
        let layer = buffers.layers[index]
        let outputs = layer.outputs(half: half)
        let lanes = buffers.lanes
        let x = index == 0 ? buffers.inputLanes(turn: turn) : buffers.layers[index - 1].resultLanes
        var y = unsafe buffers.block.mutableSpan(
            from: layer.resultLanes + outputs.lowerBound * lanes)
        multiply(
            buffers.block.span(from: layer.weight + outputs.lowerBound * layer.input), .none,
            buffers.block.span(from: x), .none,
            m: outputs.count, n: lanes, k: layer.input, into: &y)
        let bias = buffers.block.span(from: layer.bias + outputs.lowerBound).extracting(
            first: outputs.count)
        addRowBias(&y, bias: bias, rectify: layer.rectify, columns: lanes)
        var result = unsafe buffers.block.mutableSpan(from: layer.result + outputs.lowerBound)
        transpose(
            y.span, rows: outputs.count, columns: rows, strideX: lanes, strideY: layer.output,
            into: &result)
    }

    /// The gradient of the mean squared error over the half's columns of the result, and their part of it.
    private func measure(_ layer: TrainingBuffers.LayerPlaces, _ half: Int) -> Double {
        let columns = layer.outputs(half: half)
        let elements = rows * layer.output
        var dY = unsafe buffers.block.mutableSpan(from: layer.gradient + columns.lowerBound)
        let sum = squaredError(
            buffers.block.span(from: layer.result + columns.lowerBound),
            target: buffers.block.span(from: buffers.target(turn: turn) + columns.lowerBound),
            scale: 2 / Float(elements), rows: rows, columns: columns.count, stride: layer.output,
            dY: &dY)
        return sum / Double(elements)
    }

    /// In the forward pass the weight met x as x · weightᵀ: dX = dY · weight, of which this is the half's
    /// part.
    private func propagate(_ layer: TrainingBuffers.LayerPlaces, _ half: Int) {
        let outputs = layer.outputs(half: half)
        var part = unsafe buffers.block.mutableSpan(from: buffers.part(layer, half))
        multiply(
            buffers.block.span(from: layer.gradient + outputs.lowerBound), .none,
            buffers.block.span(from: layer.weight + outputs.lowerBound * layer.input), .none,
            m: rows, n: layer.input, k: outputs.count, strideA: layer.output, into: &part)
    }

    /// The gradient of the half's outputs of layer `index`, from both parts that the next layer's halves
    /// left.
    private func rectify(_ index: Int, _ half: Int) {
        let (layer, next) = (buffers.layers[index], buffers.layers[index + 1])
        let outputs = layer.outputs(half: half)
        var dX = unsafe buffers.block.mutableSpan(from: layer.gradient + outputs.lowerBound)
        rectifierBackward(
            buffers.block.span(from: buffers.part(next, 0) + outputs.lowerBound),
            buffers.block.span(from: buffers.part(next, 1) + outputs.lowerBound),
            y: buffers.block.span(from: layer.result + outputs.lowerBound),
            rows: rows, columns: outputs.count, stride: layer.output, into: &dX)
    }

    /// Adam on the half's weights, whose gradient is dYᵀ · x, and biases, whose gradient is dY's column
    /// sums.
    private func move(_ index: Int, _ half: Int) {
        let layer = buffers.layers[index]
        let outputs = layer.outputs(half: half)
        let dY = buffers.block.span(from: layer.gradient + outputs.lowerBound)
        let weight = layer.weight + outputs.lowerBound * layer.input
        var x = unsafe buffers.block.mutableSpan(from: weight)
        var m = unsafe buffers.block.mutableSpan(from: buffers.firstMoment + weight)
        var v = unsafe buffers.block.mutableSpan(from: buffers.secondMoment + weight)
        adam.move(
            &x, &m, &v, gradientOf: dY, strideA: layer.output,
            buffers.block.span(from: input(of: index)),
            rows: outputs.count, columns: layer.input, depth: rows)

        let bias = layer.bias + outputs.lowerBound
        var sums = unsafe buffers.block.mutableSpan(from: buffers.biasGradient(half))
        var dBias = sums._mutatingExtracting(first: outputs.count)
        addBiasBackward(dY, rows: rows, stride: layer.output, dBias: &dBias)
        x = unsafe buffers.block.mutableSpan(from: bias)
        m = unsafe buffers.block.mutableSpan(from: buffers.firstMoment + bias)
        v = unsafe buffers.block.mutableSpan(from: buffers.secondMoment + bias)
        adam.move(&x, &m, &v, gradient: dBias.span)
    }
}
