internal import Kernels
internal import Tensors

/// What the network writes on its way over a block of rows.
///
/// With U the principal axes of clean embeddings, w the variances along them, mu their mean and s a
/// row's noise level:
///
///     v = w + s²,  g = w / v,  y = (x − mu) U,  z = y / √v
///     φᵢ = exp(−((s − cᵢ) / c₁)²), cᵢ = 0.3 i / 7, i < 8
///     [p; q] = Wi z + bi + Ws φ,  r = Wo (silu(p) · q) + bo
///     f = (y · g + r · √(w (1 − g))) Uᵀ + mu
///
/// The first summand is the Wiener filter (Wiener 1949), the gated layer SwiGLU (Shazeer 2020,
/// arXiv 2002.05202).
struct AdaptiveWorkspace: ~Copyable {
    /// The most rows at once.
    let capacity: Int

    /// Rows at their own scale, [rows, width].
    var rows: Matrix
    /// Their noise levels, [rows].
    var levels: Matrix
    /// The rows along the axes, [rows, width].
    var projected: Matrix
    /// What the hidden layer reads, [rows, inputs].
    var input: Matrix
    /// [p; q], [rows, 2 · hidden].
    var both: Matrix
    /// silu(p) · q, [rows, hidden].
    var gatedUnits: Matrix
    /// r, [rows, width].
    var residual: Matrix
    /// The answer along the axes, [rows, width].
    private var onAxes: Matrix
    /// f, [rows, width].
    var answer: Matrix

    /// Storage for blocks of up to `rows` rows through a network of `shape`.
    ///
    /// - Parameter rows: at most `mostRows`, within which a row's answer has the same bits whatever
    ///   rows come with it (see `multiply`).
    init(rows: Int, shape: AdaptiveShape) {
        precondition(1...Self.mostRows ~= rows, "\(rows) rows in a block")
        capacity = rows
        self.rows = Matrix(rows: rows, columns: shape.width)
        levels = Matrix(rows: 1, columns: rows)
        projected = Matrix(rows: rows, columns: shape.width)
        input = Matrix(rows: rows, columns: shape.inputs)
        both = Matrix(rows: rows, columns: 2 * shape.hidden)
        gatedUnits = Matrix(rows: rows, columns: shape.hidden)
        residual = Matrix(rows: rows, columns: shape.width)
        onAxes = Matrix(rows: rows, columns: shape.width)
        answer = Matrix(rows: rows, columns: shape.width)
    }

    /// The most rows of a block.
    static let mostRows = mostFewRows

    /// Bytes of a workspace for `rows` rows.
    static func memory(rows: Int, shape: AdaptiveShape) -> Int {
        4 * rows * (6 * shape.width + shape.inputs + 3 * shape.hidden + 1)
    }

    /// Runs the network over the first `count` of `rows` at `levels`, into `answer`.
    mutating func run(_ count: Int, _ parameters: AdaptiveParameters) {
        precondition(1...capacity ~= count, "\(count) rows in a workspace for \(capacity)")
        use(count)
        let (shape, flat, axes) = (parameters.shape, parameters.flat, parameters.axes)
        multiply(rows, axes.view, into: &projected)
        whiten(projected, levels, parameters, into: &input)
        multiply(
            input,
            MatrixView(
                flat.span.extracting(shape.first), rows: 2 * shape.hidden, columns: shape.inputs
            ).transposed, into: &both)
        gate(both, into: &gatedUnits)
        multiply(
            gatedUnits,
            MatrixView(
                flat.span.extracting(shape.second), rows: shape.width, columns: shape.hidden
            ).transposed, into: &residual)
        addBias(flat.span.extracting(shape.bias), to: &residual)
        combine(projected, residual, levels, parameters, into: &onAxes)
        multiply(onAxes, axes.view.transposed, into: &answer)
        addBias(parameters.mean.span, to: &answer)
    }

    private mutating func use(_ count: Int) {
        rows.rows = count
        projected.rows = count
        input.rows = count
        both.rows = count
        gatedUnits.rows = count
        residual.rows = count
        onAxes.rows = count
        answer.rows = count
    }
}

// Functions of matrices: within a method two of the workspace's own could not be read and written
// at once.

/// y = x · weight.
private func multiply(_ x: borrowing Matrix, _ weight: MatrixView, into y: inout Matrix) {
    multiply(x.view, weight, into: y.mutableView)
}

private func addBias(_ bias: Span<Float>, to x: inout Matrix) {
    addBias(x.mutableView, bias: bias, rectify: false)
}

private func whiten(
    _ y: borrowing Matrix, _ levels: borrowing Matrix, _ parameters: AdaptiveParameters,
    into input: inout Matrix
) {
    let (mean, w) = (parameters.meanOnAxes, parameters.variances)
    let (rows, stride) = (input.rows, input.columns)
    var input = input.mutableSpan
    networkInput(
        y.span, mean: mean.span, w: w.span, s: levels.span, features: AdaptiveShape.features,
        rows: rows, stride: stride, into: &input)
}

private func gate(_ both: borrowing Matrix, into units: inout Matrix) {
    let (rows, hidden) = (units.rows, units.columns)
    var units = units.mutableSpan
    gated(both.span, rows: rows, hidden: hidden, into: &units)
}

private func combine(
    _ y: borrowing Matrix, _ residual: borrowing Matrix, _ levels: borrowing Matrix,
    _ parameters: AdaptiveParameters, into output: inout Matrix
) {
    let (mean, w) = (parameters.meanOnAxes, parameters.variances)
    let rows = output.rows
    var output = output.mutableSpan
    posterior(
        y.span, mean: mean.span, r: residual.span, w: w.span, s: levels.span, rows: rows,
        into: &output)
}
