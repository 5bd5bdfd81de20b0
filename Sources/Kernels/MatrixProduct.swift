internal import COpenBLAS

/// Whether an operand of a matrix product is read as it lies or transposed.
public enum Transposition: Sendable {
    case none
    case transposed
}

/// output[m, n] = scale · op(a)[m, k] · op(b)[k, n] + keep · output[m, n], all row-major and dense.
///
/// A transposed `a` lies as [k, m], a transposed `b` as [n, k] (PyTorch's `Linear.weight`).
/// BLAS's `sgemm`; the sizes are checked here because BLAS cannot report them.
///
/// - Parameters:
///   - m: rows of the output.
///   - n: columns of the output.
///   - k: the extent summed over.
///   - scale: factor of the product (BLAS's alpha).
///   - keep: factor of what `output` holds before (BLAS's beta); 0 overwrites it.
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
    into output: inout MutableSpan<Float>
) {
    precondition(a.count >= m * k, "a has \(a.count) elements, [\(m), \(k)] needs \(m * k)")
    precondition(b.count >= k * n, "b has \(b.count) elements, [\(k), \(n)] needs \(k * n)")
    precondition(
        output.count >= m * n, "output has \(output.count) elements, [\(m), \(n)] needs \(m * n)")
    guard m > 0, n > 0 else { return }
    unsafe a.withUnsafeBufferPointer { a in
        unsafe b.withUnsafeBufferPointer { b in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe cblas_sgemm(
                    CblasRowMajor,
                    transposeA == .none ? CblasNoTrans : CblasTrans,
                    transposeB == .none ? CblasNoTrans : CblasTrans,
                    blasint(m), blasint(n), blasint(k),
                    scale,
                    a.baseAddress, blasint(transposeA == .none ? k : m),
                    b.baseAddress, blasint(transposeB == .none ? n : k),
                    keep,
                    output.baseAddress, blasint(n))
            }
        }
    }
}
