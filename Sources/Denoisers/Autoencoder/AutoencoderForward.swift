internal import Kernels
internal import Tensors

/// What a forward pass over up to `capacity` rows writes.
public struct AutoencoderWorkspace: ~Copyable {
    /// The most rows at once.
    public let capacity: Int

    /// Each layer's result, [rows, output].
    var first, code, third, output: Matrix

    /// Storage for blocks of up to `rows` rows.
    public init(rows: Int) {
        capacity = rows
        let widths = AutoencoderShape.layers.map(\.output)
        first = Matrix(rows: rows, columns: widths[0])
        code = Matrix(rows: rows, columns: widths[1])
        third = Matrix(rows: rows, columns: widths[2])
        output = Matrix(rows: rows, columns: widths[3])
    }

    mutating func use(rows: Int) {
        precondition(rows <= capacity, "\(rows) rows in a workspace for \(capacity)")
        first.rows = rows
        code.rows = rows
        third.rows = rows
        output.rows = rows
    }

    /// Runs all four layers over `rows` rows of `x` with the flat `parameters`.
    mutating func forward(_ x: Span<Float>, rows: Int, parameters: Span<Float>) {
        use(rows: rows)
        let layers = AutoencoderShape.layers
        apply(layers[0], parameters, to: x, into: &first)
        apply(layers[1], parameters, to: first, into: &code)
        apply(layers[2], parameters, to: code, into: &third)
        apply(layers[3], parameters, to: third, into: &output)
    }
}

private func apply(
    _ layer: AutoencoderShape.Layer, _ parameters: Span<Float>, to x: borrowing Matrix,
    into y: inout Matrix
) {
    apply(layer, parameters, to: x.span, into: &y)
}

/// y[rows, output] = x[rows, input] · weightᵀ + bias, rectified where the layer says so.
private func apply(
    _ layer: AutoencoderShape.Layer, _ parameters: Span<Float>, to x: Span<Float>,
    into y: inout Matrix
) {
    let rows = y.rows
    var y = y.mutableSpan
    multiply(
        x, .none, parameters.extracting(layer.weight), .transposed, m: rows, n: layer.output,
        k: layer.input, into: &y)
    addBias(
        &y, bias: parameters.extracting(layer.bias), rectify: layer.rectify, rows: rows)
}

extension AutoencoderParameters {
    /// Denoises `x` [rows, 384] into `output`, block by block.
    public func denoise(
        _ x: Span<Float>, workspace: inout AutoencoderWorkspace,
        into output: inout MutableSpan<Float>
    ) {
        let width = AutoencoderShape.width
        precondition(x.count % width == 0, "\(x.count) values in rows of \(width)")
        precondition(output.count >= x.count, "\(x.count) values into \(output.count)")
        let flat = flat
        for start in stride(from: 0, to: x.count, by: workspace.capacity * width) {
            let end = min(start + workspace.capacity * width, x.count)
            workspace.forward(
                x.extracting(start..<end), rows: (end - start) / width, parameters: flat.span)
            let block = workspace.output.span
            for i in block.indices { output[start + i] = block[i] }
        }
    }

    /// Denoises `x` [rows, 384] into a new array.
    ///
    /// In blocks so small that a row gets the same bits whatever other rows come with it (see `multiply`).
    public func denoise(_ x: [Float]) -> [Float] {
        var workspace = AutoencoderWorkspace(
            rows: min(mostFewRows, max(1, x.count / AutoencoderShape.width)))
        var output = [Float](repeating: 0, count: x.count)
        var span = output.mutableSpan
        denoise(x.span, workspace: &workspace, into: &span)
        return output
    }
}
