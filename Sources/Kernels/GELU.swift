public import Tensors
internal import CKernels

/// x = gelu(x + bias), a bias for each column; gelu(x) = x · (1 + erf(x / √2)) / 2.
///
/// The exact form, which BERT calls "gelu"; floats are within 7e-7 of it (`Bodies/GELU.h` says
/// how).
///
/// - Parameter x: a multiple of 16 columns.
public func gelu(_ x: consuming MutableMatrixView, adding bias: Span<Float>) {
    precondition(
        !x.isTransposed && x.columns % 16 == 0, "\(x.columns) columns, not a multiple of 16")
    requireColumns(x.columns, in: bias, "bias")
    let (rows, columns, stride) = (x.rows, x.columns, x.stride)
    unsafe x.values.withUnsafeMutableBufferPointer { x in
        unsafe bias.withUnsafeBufferPointer { bias in
            unsafe kernels_add_gelu(x.baseAddress, stride, bias.baseAddress, rows, columns)
        }
    }
}
