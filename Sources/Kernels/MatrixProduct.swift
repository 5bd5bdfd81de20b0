public import Tensors
internal import CKernels
internal import COpenBLAS

/// output[m, n] = scale · a[m, k] · b[k, n].
///
/// A weight [out, in] as PyTorch's `Linear` keeps it is given `transposed`. BLAS's `sgemm` computes
/// the product unless one side has at most `mostFewRows` rows. There BLAS spends its time repacking
/// the other side, and kernels that read both sides as they lie take its place.
public func multiply(
    _ a: MatrixView, _ b: MatrixView, scale: Float = 1, into output: consuming MutableMatrixView
) {
    precondition(
        a.columns == b.rows && output.rows == a.rows && output.columns == b.columns,
        "[\(a.rows), \(a.columns)] · [\(b.rows), \(b.columns)] "
            + "into [\(output.rows), \(output.columns)]")
    if output.isTransposed {
        // (a · b)ᵀ = bᵀ · aᵀ.
        multiplyIntoRows(b.transposed, a.transposed, scale, output.transposed())
    } else {
        multiplyIntoRows(a, b, scale, output)
    }
}

/// The same for an output whose rows lie end to end.
private func multiplyIntoRows(
    _ a: MatrixView, _ b: MatrixView, _ scale: Float, _ output: consuming MutableMatrixView
) {
    let (m, n, k) = (output.rows, output.columns, a.columns)
    guard m > 0, n > 0 else { return }
    let (strideA, strideB, strideOutput) = (a.stride, b.stride, output.stride)
    let (transA, transB) = (a.isTransposed, b.isTransposed)
    let isPlain = !transA && scale == 1
    unsafe a.values.withUnsafeBufferPointer { a in
        unsafe b.values.withUnsafeBufferPointer { b in
            unsafe output.values.withUnsafeMutableBufferPointer { output in
                if isPlain && transB && m <= min(n, mostFewRows) {
                    unsafe kernels_few_rows_product(
                        a.baseAddress, strideA, b.baseAddress, strideB,
                        output.baseAddress, strideOutput, 1, m, n, k)
                } else if isPlain && transB && n <= mostFewRows {
                    // b has the few rows: the operands change places, and so do the output's
                    // strides.
                    unsafe kernels_few_rows_product(
                        b.baseAddress, strideB, a.baseAddress, strideA,
                        output.baseAddress, 1, strideOutput, n, m, k)
                } else if isPlain && !transB && min(m, n) <= mostFewRows && n % 32 == 0 {
                    unsafe kernels_outer_product(
                        a.baseAddress, strideA, 1, b.baseAddress, strideB, output.baseAddress,
                        strideOutput, m, n, k)
                } else {
                    unsafe cblas_sgemm(
                        CblasRowMajor,
                        transA ? CblasTrans : CblasNoTrans, transB ? CblasTrans : CblasNoTrans,
                        blasint(m), blasint(n), blasint(k),
                        scale, a.baseAddress, blasint(strideA), b.baseAddress, blasint(strideB),
                        0, output.baseAddress, blasint(strideOutput))
                }
            }
        }
    }
}

/// The most rows on one side of a product that goes to a kernel which packs nothing.
///
/// Up to here the kernels are faster than `sgemm` with AVX2 and with AVX-512, in the encoder's
/// products and in those of a training step.
package let mostFewRows = 64
