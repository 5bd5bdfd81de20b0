internal import Kernels
internal import Tensors

/// What a forward pass over up to `capacity` rows writes.
struct AutoencoderWorkspace: ~Copyable {
    /// The most rows at once.
    let capacity: Int

    private let architecture: AutoencoderArchitecture

    /// Results of the layers in turn, each read by the next layer only.
    private var odd, even: Matrix

    /// Storage for blocks of up to `rows` rows.
    init(rows: Int, for architecture: AutoencoderArchitecture = .original) {
        capacity = rows
        self.architecture = architecture
        even = Matrix(rows: rows, columns: Self.columns(of: architecture, 0))
        odd = Matrix(rows: rows, columns: Self.columns(of: architecture, 1))
    }

    /// Bytes of a workspace for `rows` rows.
    static func bytes(rows: Int, of architecture: AutoencoderArchitecture) -> Int {
        let columns = columns(of: architecture, 0) + columns(of: architecture, 1)
        return rows * columns * MemoryLayout<Float>.stride
    }

    /// The widest result of every second layer, from layer `first` on.
    private static func columns(of architecture: AutoencoderArchitecture, _ first: Int) -> Int {
        stride(from: first, to: architecture.layers.count, by: 2).reduce(0) {
            max($0, architecture.layers[$1].output)
        }
    }

    /// Runs all layers over `rows` rows of `x` with the flat `parameters` into `output`, from
    /// element `start` on.
    mutating func forward(
        _ x: Span<Float>, rows: Int, parameters: Span<Float>,
        into output: inout MutableSpan<Float>, at start: Int
    ) {
        precondition(rows <= capacity, "\(rows) rows in a workspace for \(capacity)")
        odd.rows = rows
        even.rows = rows
        let layers = architecture.layers
        apply(layers[0], parameters, to: x, rows, into: &even)
        for index in layers.indices.dropFirst() {
            if index % 2 == 1 {
                apply(layers[index], parameters, to: even, rows, into: &odd)
            } else {
                apply(layers[index], parameters, to: odd, rows, into: &even)
            }
        }
        let result = odd.span
        for i in 0..<rows * architecture.width { output[start + i] = result[i] }
    }
}

private func apply(
    _ layer: AutoencoderArchitecture.Layer, _ parameters: Span<Float>, to x: borrowing Matrix,
    _ rows: Int, into y: inout Matrix
) {
    apply(layer, parameters, to: x.span, rows, into: &y)
}

/// y[rows, output] = x[rows, input] · weightᵀ + bias, rectified if the layer says so.
private func apply(
    _ layer: AutoencoderArchitecture.Layer, _ parameters: Span<Float>, to x: Span<Float>,
    _ rows: Int, into y: inout Matrix
) {
    var y = y.mutableSpan
    multiply(
        MatrixView(x, rows: rows, columns: layer.input),
        MatrixView(
            parameters.extracting(layer.weight), rows: layer.output, columns: layer.input
        ).transposed,
        into: MutableMatrixView(&y, rows: rows, columns: layer.output))
    addBias(
        MutableMatrixView(&y, rows: rows, columns: layer.output),
        bias: parameters.extracting(layer.bias), rectify: layer.rectify)
}

extension AutoencoderParameters {
    /// Denoises `x` [rows, width] into `output`, block by block.
    func denoise(
        _ x: Span<Float>, workspace: inout AutoencoderWorkspace,
        into output: inout MutableSpan<Float>
    ) {
        let width = architecture.width
        precondition(x.count % width == 0, "\(x.count) values in rows of \(width)")
        precondition(output.count >= x.count, "\(x.count) values into \(output.count)")
        let flat = flat
        for start in stride(from: 0, to: x.count, by: workspace.capacity * width) {
            let end = min(start + workspace.capacity * width, x.count)
            workspace.forward(
                x.extracting(start..<end), rows: (end - start) / width, parameters: flat.span,
                into: &output, at: start)
        }
    }

    /// Denoises `x` [rows, width] into a new array.
    ///
    /// The blocks are so small that a row gets the same bits whatever other rows come with it (see
    /// `multiply`).
    func denoise(_ x: Span<Float>) -> [Float] {
        var workspace = AutoencoderWorkspace(
            rows: min(mostFewRows, max(1, x.count / architecture.width)), for: architecture)
        var output = [Float](repeating: 0, count: x.count)
        var span = output.mutableSpan
        denoise(x, workspace: &workspace, into: &span)
        return output
    }

    /// The same for an array.
    public func denoise(_ x: [Float]) -> [Float] { denoise(x.span) }
}
