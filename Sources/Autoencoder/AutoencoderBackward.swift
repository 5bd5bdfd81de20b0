internal import Kernels

/// What a training step writes: activations, their gradients, and the gradient of every parameter.
struct TrainingWorkspace: ~Copyable {
    var activations: AutoencoderWorkspace
    /// The gradient of each layer's result, [rows, output].
    private var dFirst, dCode, dThird, dOutput: Matrix
    /// Laid out as the parameters: [1, parameterCount].
    var gradient: Matrix

    init(rows: Int) {
        activations = AutoencoderWorkspace(rows: rows)
        let widths = AutoencoderShape.layers.map(\.output)
        dFirst = Matrix(rows: rows, columns: widths[0])
        dCode = Matrix(rows: rows, columns: widths[1])
        dThird = Matrix(rows: rows, columns: widths[2])
        dOutput = Matrix(rows: rows, columns: widths[3])
        gradient = Matrix(rows: 1, columns: AutoencoderShape.parameterCount)
    }

    /// Forward and backward over the rows of `x`: the mean squared error, and its gradient in `gradient`.
    mutating func pass(
        _ x: borrowing Matrix, target: borrowing Matrix, parameters: borrowing Matrix
    ) -> Double {
        let rows = x.rows
        let parameters = parameters.span
        activations.forward(x.span, rows: rows, parameters: parameters)
        dFirst.rows = rows
        dCode.rows = rows
        dThird.rows = rows
        dOutput.rows = rows
        let loss = start(activations.output, target, &dOutput)
        let layers = AutoencoderShape.layers
        back(layers[3], activations.third, activations.output, &dOutput, &gradient)
        propagate(layers[3], parameters, dOutput, &dThird)
        back(layers[2], activations.code, activations.third, &dThird, &gradient)
        propagate(layers[2], parameters, dThird, &dCode)
        back(layers[1], activations.first, activations.code, &dCode, &gradient)
        propagate(layers[1], parameters, dCode, &dFirst)
        back(layers[0], x, activations.first, &dFirst, &gradient)
        return loss
    }
}

private func start(
    _ y: borrowing Matrix, _ target: borrowing Matrix, _ dY: inout Matrix
) -> Double {
    var dY = dY.mutableSpan
    return meanSquaredError(y.span, target: target.span, dY: &dY)
}

private func back(
    _ layer: AutoencoderShape.Layer, _ x: borrowing Matrix, _ y: borrowing Matrix,
    _ dY: inout Matrix, _ gradient: inout Matrix
) {
    back(layer, x.span, y, &dY, &gradient)
}

/// In the forward pass y = rectified(x · weightᵀ + bias): dBias = column sums of dY, dWeight = dYᵀ · x.
private func back(
    _ layer: AutoencoderShape.Layer, _ x: Span<Float>, _ y: borrowing Matrix,
    _ dY: inout Matrix, _ gradient: inout Matrix
) {
    let rows = y.rows
    var gradient = gradient.mutableSpan
    do {
        var dBias = gradient._mutatingExtracting(layer.bias)
        var dY = dY.mutableSpan
        addBiasBackward(&dY, y: y.span, rectify: layer.rectify, dBias: &dBias)
    }
    var dWeight = gradient._mutatingExtracting(layer.weight)
    multiply(
        dY.span, .transposed, x, .none, m: layer.output, n: layer.input, k: rows, into: &dWeight)
}

/// In the forward pass x met the weight as x · weightᵀ: dX = dY · weight.
private func propagate(
    _ layer: AutoencoderShape.Layer, _ parameters: Span<Float>, _ dY: borrowing Matrix,
    _ dX: inout Matrix
) {
    let rows = dY.rows
    var dX = dX.mutableSpan
    multiply(
        dY.span, .none, parameters.extracting(layer.weight), .none, m: rows, n: layer.input,
        k: layer.output, into: &dX)
}
