internal import CKernels

/// A stream of standard normal numbers made from a seed: equal seeds, equal numbers.
public struct GaussianNoise: Sendable {
    private let seed: UInt64
    private var counter: UInt64 = 0

    /// The stream of a seed.
    public init(seed: UInt64) { self.seed = seed }

    /// The stream from `count` elements further on, a multiple of 64.
    public func dropping(_ count: Int) -> GaussianNoise {
        precondition(count % 64 == 0, "\(count) elements")
        var later = self
        later.counter += UInt64(count / 4)
        return later
    }

    /// output[i] = x[i] + deviation · z with a new z for every element.
    public mutating func add(
        to x: Span<Float>, deviation: Float, into output: inout MutableSpan<Float>
    ) {
        precondition(output.count >= x.count, "\(x.count) values into \(output.count)")
        unsafe x.withUnsafeBufferPointer { x in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe kernels_add_gaussian(
                    output.baseAddress, x.baseAddress, deviation, seed, counter, x.count)
            }
        }
        // The kernel computes whole blocks of 64.
        counter += UInt64((x.count + 63) / 64 * 16)
    }
}
