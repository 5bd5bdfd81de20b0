internal import CKernels

/// Prefetches `x`, which must not be empty.
public func prefetch(_ x: Span<Float>) {
    unsafe x.withUnsafeBufferPointer { unsafe kernels_prefetch($0.baseAddress, $0.count) }
}
