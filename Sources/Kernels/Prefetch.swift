internal import CKernels

/// Asks for `x`, which has elements, so that it is in the cache when it is read.
public func prefetch(_ x: Span<Float>) {
    unsafe x.withUnsafeBufferPointer { unsafe kernels_prefetch($0.baseAddress, $0.count) }
}
