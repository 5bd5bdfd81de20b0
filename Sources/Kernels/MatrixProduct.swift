internal import CKernels
internal import COpenBLAS

/// Whether an operand of a matrix product is read as it lies or transposed.
public enum Transposition: Sendable {
    case none
    case transposed
}

/// output[m, n] = scale · op(a)[m, k] · op(b)[k, n] + keep · output[m, n], all row-major.
///
/// A transposed `a` lies as [k, m], a transposed `b` as [n, k] (PyTorch's `Linear.weight`).
/// BLAS's `sgemm`, but where one side has few rows (`mostFewRows`): there BLAS spends its time repacking the
/// other, and kernels that read both as they lie take its place.
/// The sizes are checked here because neither can report them.
///
/// - Parameters:
///   - m: rows of the output.
///   - n: columns of the output.
///   - k: the extent summed over.
///   - scale: factor of the product (BLAS's alpha).
///   - keep: factor of what `output` holds before (BLAS's beta); 0 overwrites it.
///   - strideA: elements from one row of `a`, as it lies, to the next; dense where nil.
///   - strideB: the same for `b`.
///   - strideOutput: the same for `output`.
public func multiply(
    _ a: Span<Float>,
    _ transposeA: Transposition = .none,
    _ b: Span<Float>,
    _ transposeB: Transposition = .none,
    m: Int,
    n: Int,
    k: Int,
    scale: Float = 1,
    keep: Float = 0,
    strideA: Int? = nil,
    strideB: Int? = nil,
    strideOutput: Int? = nil,
    into output: inout MutableSpan<Float>
) {
    let (rowsA, columnsA) = transposeA == .none ? (m, k) : (k, m)
    let (rowsB, columnsB) = transposeB == .none ? (k, n) : (n, k)
    let (strideA, strideB) = (strideA ?? columnsA, strideB ?? columnsB)
    let strideOutput = strideOutput ?? n
    requireRows(rowsA, of: columnsA, stride: strideA, in: a.count, "a")
    requireRows(rowsB, of: columnsB, stride: strideB, in: b.count, "b")
    requireRows(m, of: n, stride: strideOutput, in: output.count, "output")
    guard m > 0, n > 0 else { return }
    let isPlain = transposeA == .none && scale == 1 && keep == 0
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in
            unsafe output.withUnsafeMutableBufferPointer { output in
                if isPlain && transposeB == .transposed && m <= min(n, mostFewRows) {
                    unsafe kernels_few_rows_product(
                        a.baseAddress, strideA, b.baseAddress, strideB,
                        output.baseAddress, strideOutput, 1, m, n, k)
                } else if isPlain && transposeB == .transposed && n <= mostFewRows {
                    // The few are b's: the other way round, into the transposed output.
                    unsafe kernels_few_rows_product(
                        b.baseAddress, strideB, a.baseAddress, strideA,
                        output.baseAddress, 1, strideOutput, n, m, k)
                } else if isPlain && transposeB == .none && min(m, n) <= mostFewRows && n % 32 == 0
                {
                    unsafe kernels_outer_product(
                        a.baseAddress, strideA, 1, b.baseAddress, strideB, output.baseAddress,
                        strideOutput, m, n, k)
                } else {
                    unsafe cblas_sgemm(
                        CblasRowMajor,
                        transposeA == .none ? CblasNoTrans : CblasTrans,
                        transposeB == .none ? CblasNoTrans : CblasTrans,
                        blasint(m), blasint(n), blasint(k),
                        scale,
                        a.baseAddress, blasint(strideA),
                        b.baseAddress, blasint(strideB),
                        keep,
                        output.baseAddress, blasint(strideOutput))
                }
            }
        }
    }
}

/// The most rows on one side of a product that goes to a kernel which packs nothing.
///
/// Over all weights of the encoder (42 MB) on one core, `sgemm` takes as many times as long for
/// 8, 16, 32, 48, 64 and 128 rows: with AVX2 (AMD, family 23) 1.9, 2.0, 1.3, 1.3, 1.15 and 1.0; with AVX-512
/// (AMD, family 26) 2.7, –, 1.7, –, 1.4 and 1.2. The products of a training step's backward pass, 32 rows,
/// take it 1.9 times as long with AVX2.
package let mostFewRows = 64

/// Stops where `rows` of `columns` elements, `stride` apart, do not fit into `count` elements.
func requireRows(
    _ rows: Int, of columns: Int, stride: Int, in count: Int, _ name: StaticString
) {
    precondition(
        rows >= 0 && columns >= 0 && stride >= columns
            && (rows == 0 || columns == 0 || (rows - 1) * stride + columns <= count),
        "\(name): [\(rows), \(columns)] with rows \(stride) apart in \(count) elements")
}
