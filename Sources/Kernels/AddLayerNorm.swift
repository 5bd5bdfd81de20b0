public import Tensors
internal import CKernels

/// hidden[rows, columns] = (v − mean(v)) / √(variance(v) + ε) · gain[columns] + shift[columns],
/// with v = hidden + addend[rows, columns] + bias[columns].
///
/// Mean and (biased) variance are each row's own. A residual connection's sum and its norm in one
/// pass.
///
/// - Parameters:
///   - hidden: rows without gaps, of a multiple of 32 columns.
///   - addend: of the same shape, without gaps.
public func addLayerNorm(
    _ hidden: consuming MutableMatrixView,
    adding addend: MatrixView,
    bias: Span<Float>,
    gain: Span<Float>,
    shift: Span<Float>,
    epsilon: Float
) {
    requireSameLayout(addend, hidden, "hidden")
    let (rows, columns) = (hidden.rows, hidden.columns)
    precondition(
        columns % 32 == 0 && (hidden.stride == columns || rows <= 1),
        "\(columns) columns, \(hidden.stride) apart: not a multiple of 32, or with gaps")
    requireColumns(columns, in: bias, "bias")
    requireColumns(columns, in: gain, "gain")
    requireColumns(columns, in: shift, "shift")
    unsafe hidden.values.withUnsafeMutableBufferPointer { hidden in
        unsafe addend.values.withUnsafeBufferPointer { addend in
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
