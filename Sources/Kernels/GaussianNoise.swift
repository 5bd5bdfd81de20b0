internal import CKernels

/// A stream of standard normal numbers made from a seed: equal seeds, equal numbers.
public struct GaussianNoise: Sendable {
    private let seed: UInt64
    private var counter: UInt64 = 0

    /// A stream of its own for every seed.
    public init(seed: UInt64) { self.seed = seed }

    /// output[i] = x[i] + deviation · z with a new z for every element.
    public mutating func add(
        to x: Span<Float>, deviation: Float, into output: inout MutableSpan<Float>
    ) {
        precondition(output.count >= x.count, "\(x.count) values into \(output.count)")
        unsafe x.withUnsafeBufferPointer { x in
            unsafe output.withUnsafeMutableBufferPointer { output in
                unsafe ck_add_gaussian(
                    output.baseAddress, x.baseAddress, deviation, seed, counter, x.count)
            }
        }
        // The kernel makes whole blocks of 64.
        counter += UInt64((x.count + 63) / 64 * 16)
    }
}
