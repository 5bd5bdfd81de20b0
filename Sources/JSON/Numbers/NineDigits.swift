/// A decimal's digits in ASCII, padded at the end with zeros to nine.
struct NineDigits {
    let first: UInt8

    /// Eight characters, the first in the lowest byte.
    let others: UInt64

    /// The number of digits without the zeros at the end.
    let count: Int

    /// The number of digits before the decimal point.
    let point: Int

    @inline(__always)
    init(_ decimal: ShortestDecimal) {
        // Only subnormal numbers have fewer than seven.
        var given = decimal.digits < 10_000_000 ? 7 : decimal.digits < 100_000_000 ? 8 : 9
        if decimal.digits < 1_000_000 {
            given = wholePowersOfTen.indices.first { decimal.digits < wholePowersOfTen[$0] } ?? 7
        }
        let nine = decimal.digits &* wholePowersOfTen[9 &- given]
        let leading = nine / 100_000_000
        first = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: leading)
        others = eightCharacters(nine &- leading &* 100_000_000)
        count = 9 &- (others ^ eightZeros).byteSwapped.trailingZeroBitCount &>> 3
        point = decimal.exponent &+ given
    }
}

/// Eight zeros in ASCII.
let eightZeros: UInt64 = 0x3030_3030_3030_3030

/// The eight decimal digits of `value` in ASCII, the first in the lowest byte.
///
/// Splits the number into fours, pairs and digits; each level is computed in all places at once.
@inline(__always)
private func eightCharacters(_ value: UInt32) -> UInt64 {
    // x / 100 and x % 100, side by side: y | (x - 100 y) << 16 = x << 16 - (100 << 16 - 1) y.
    let value = UInt64(value)
    let fours = value &<< 32 &- (10_000 << 32 - 1) &* (value / 10_000)
    let hundreds = ((fours &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let pairs = fours &<< 16 &- (100 << 16 - 1) &* hundreds
    let tens = ((pairs &* 103) >> 10) & 0x000F_000F_000F_000F
    return (pairs &<< 8 &- (10 << 8 - 1) &* tens) | eightZeros
}

private let wholePowersOfTen: [10 of UInt32] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
]
