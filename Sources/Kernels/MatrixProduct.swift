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
/// BLAS's `sgemm`, but for a · bᵀ with few rows on one side (`mostFewRows`), where BLAS spends its time
/// repacking the other.
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
    let fewRows =
        min(m, n) <= mostFewRows && transposeA == .none && transposeB == .transposed && scale == 1
        && keep == 0
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in
            unsafe output.withUnsafeMutableBufferPointer { output in
                if fewRows && m <= n {
                    unsafe kernels_few_rows_product(
                        a.baseAddress, strideA, b.baseAddress, strideB,
                        output.baseAddress, strideOutput, 1, m, n, k)
                    return
                }
                if fewRows {
                    // The few are b's: the other way round, into the transposed output.
                    unsafe kernels_few_rows_product(
                        b.baseAddress, strideB, a.baseAddress, strideA,
                        output.baseAddress, 1, strideOutput, n, m, k)
                    return
                }
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

/// The most rows on one side of a product that goes to the kernel which packs nothing.
///
/// Over all weights of the encoder (42 MB) on one core of an AMD EPYC of family 26 it takes, against
/// `sgemm`, with AVX-512 for 8 rows 1.2 ms and 3.2, for 32 rows 3.2 and 5.4, for 64 rows 6.1 and 8.3, for
/// 128 rows 11.8 and 13.9; with AVX2 for 8 rows 2.4 and 3.4, for 12 rows 3.6 and 4.0. The limits are where
/// it stops being 1.3 times faster.
package var mostFewRows: Int { InstructionSet.current == .x86v4 ? 64 : 8 }

/// Stops where `rows` of `columns` elements, `stride` apart, do not fit into `count` elements.
func requireRows(
    _ rows: Int, of columns: Int, stride: Int, in count: Int, _ name: StaticString
) {
    precondition(
        rows >= 0 && columns >= 0 && stride >= columns
            && (rows == 0 || columns == 0 || (rows - 1) * stride + columns <= count),
        "\(name): [\(rows), \(columns)] with rows \(stride) apart in \(count) elements")
}
