internal import CKernels

/// values[rows, columns] = gelu(values + bias[columns]), gelu(x) = x · (1 + erf(x / √2)) / 2.
///
/// The exact form, as BERT's "gelu"; within 7e-7 of it in floats (`Bodies/GELU.h` says how).
///
/// - Parameters:
///   - columns: a multiple of 16.
///   - stride: elements from one row to the next; `columns` where nil.
public func gelu(
    _ values: inout MutableSpan<Float>,
    adding bias: Span<Float>,
    rows: Int,
    columns: Int,
    stride: Int? = nil
) {
    let stride = stride ?? columns
    precondition(columns % 16 == 0, "\(columns) columns, not a multiple of 16")
    requireRows(rows, of: columns, stride: stride, in: values.count, "values")
    requireRows(1, of: columns, stride: columns, in: bias.count, "bias")
    unsafe values.withUnsafeMutableBufferPointer { values in
        unsafe bias.withUnsafeBufferPointer { bias in
            unsafe kernels_add_gelu(values.baseAddress, stride, bias.baseAddress, rows, columns)
        }
    }
}
