internal import CKernels

/// hidden[rows, columns] = (v − mean(v)) / √(variance(v) + ε) · gain[columns] + shift[columns], where
/// v = hidden + addend[rows, columns] + bias[columns].
///
/// Mean and (biased) variance are each row's own. A residual connection's sum and its norm in one pass.
///
/// - Parameters:
///   - columns: a multiple of 32.
public func addLayerNorm(
    _ hidden: inout MutableSpan<Float>,
    adding addend: Span<Float>,
    bias: Span<Float>,
    gain: Span<Float>,
    shift: Span<Float>,
    epsilon: Float,
    rows: Int,
    columns: Int
) {
    precondition(columns % 32 == 0, "\(columns) columns, not a multiple of 32")
    requireRows(rows, of: columns, stride: columns, in: hidden.count, "hidden")
    requireRows(rows, of: columns, stride: columns, in: addend.count, "addend")
    requireRows(1, of: columns, stride: columns, in: bias.count, "bias")
    requireRows(1, of: columns, stride: columns, in: gain.count, "gain")
    requireRows(1, of: columns, stride: columns, in: shift.count, "shift")
    unsafe hidden.withUnsafeMutableBufferPointer { hidden in
        unsafe addend.withUnsafeBufferPointer { addend in
            unsafe bias.withUnsafeBufferPointer { bias in
                unsafe gain.withUnsafeBufferPointer { gain in
                    unsafe shift.withUnsafeBufferPointer { shift in
                        unsafe kernels_add_layer_norm(
                            hidden.baseAddress, addend.baseAddress, bias.baseAddress,
                            gain.baseAddress, shift.baseAddress, epsilon, rows, columns)
                    }
                }
            }
        }
    }
}
