public import Tensors
internal import CKernels

/// y[columns, rows] = x[rows, columns]ᵀ.
public func transpose(_ x: MatrixView, into y: consuming MutableMatrixView) {
    precondition(
        !x.isTransposed && !y.isTransposed && y.rows == x.columns && y.columns == x.rows,
        "[\(x.rows), \(x.columns)] transposed into [\(y.rows), \(y.columns)]")
    let (rows, columns, strideX, strideY) = (x.rows, x.columns, x.stride, y.stride)
    unsafe x.values.withUnsafeBufferPointer { x in
        unsafe y.values.withUnsafeMutableBufferPointer { y in
            unsafe kernels_transpose(x.baseAddress, strideX, y.baseAddress, strideY, rows, columns)
        }
    }
}
