internal import CKernels

/// x[rows, columns] = layer norm of x + bias + residual, row by row.
///
/// (s − mean) / √(variance + epsilon) · gain + shift, the variance over the row without Bessel's correction
/// (arXiv 1607.06450). `bias`, `gain` and `shift` are a row long, `residual` as large as `x`.
public func addResidualApplyLayerNorm(
    _ x: inout MutableSpan<Float>,
    bias: Span<Float>,
    residual: Span<Float>,
    gain: Span<Float>,
    shift: Span<Float>,
    epsilon: Float
) {
    let columns = gain.count
    precondition(
        bias.count == columns && shift.count == columns && x.count % columns == 0,
        "rows of \(columns): bias \(bias.count), shift \(shift.count), x \(x.count)")
    precondition(residual.count >= x.count, "residual \(residual.count), x \(x.count)")
    let rows = x.count / columns
    unsafe bias.withUnsafeBufferPointer { bias in
        unsafe residual.withUnsafeBufferPointer { residual in
            unsafe gain.withUnsafeBufferPointer { gain in
                unsafe shift.withUnsafeBufferPointer { shift in
                    unsafe x.withUnsafeMutableBufferPointer { x in
                        unsafe ck_residual_layer_norm(
                            x.baseAddress, bias.baseAddress, residual.baseAddress,
                            gain.baseAddress, shift.baseAddress, epsilon, rows, columns)
                    }
                }
            }
        }
    }
}
