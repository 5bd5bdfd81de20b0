/// The largest difference between values and those expected; infinite if there are not as many, or
/// one is not a number.
public func largestDifference(_ values: [Float], _ expected: [Float]) -> Float {
    guard values.count == expected.count else { return .infinity }
    return zip(values, expected).reduce(0) { largest, pair in
        let difference = abs(pair.0 - pair.1)
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// The same against a plain twin of a kernel, in double.
public func largestDifference(_ values: Span<Float>, _ twin: [Double]) -> Double {
    guard values.count == twin.count else { return .infinity }
    return twin.indices.reduce(0) { largest, i in
        let difference = abs(Double(values[i]) - twin[i])
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers in every run and on every machine.
public struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    public init(state: UInt64) { self.state = state }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 up to, but not including, 1.
    public mutating func float() -> Float { Float(next() >> 40) / Float(1 << 24) }
}
