/// Repeatable numbers between -1 and 1, so that runs measure the same work.
struct Numbers {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> Float {
        // Marsaglia's xorshift.
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
    }

    /// `count` of them, times `scale`.
    static func array(_ count: Int, scale: Float = 1) -> [Float] {
        var numbers = Numbers()
        return (0..<count).map { _ in numbers.next() * scale }
    }
}
