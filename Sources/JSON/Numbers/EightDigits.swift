/// The digits that eight bytes of a text begin with.
struct EightDigits {
    /// The bytes' digits, the first in the lowest byte, in so far as they are digits.
    private let digits: UInt64

    /// The highest bit of each byte that is no digit, exact up to the first one.
    private let others: UInt64

    /// - Parameter text: the first byte in the lowest.
    @inline(__always)
    init(_ text: UInt64) {
        digits = text ^ 0x3030_3030_3030_3030
        // Above 9; a carry begins only behind such a byte.
        others = (digits &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
    }

    /// Whether all bytes are digits.
    var isFull: Bool {
        @inline(__always) get { others == 0 }
    }

    /// How many bytes stand before the first that is no digit.
    var count: Int {
        @inline(__always) get { others.trailingZeroBitCount / 8 }
    }

    /// The number they spell if there are eight.
    var eight: UInt64 {
        @inline(__always) get { joined(digits) }
    }

    /// What a number becomes that these digits, fewer than eight, follow.
    @inline(__always)
    func appended(to number: UInt64) -> UInt64 {
        // What is missing at the end becomes zeros at the beginning.
        number &* wholePowersOfTen[count] &+ joined((digits &<< 8) &<< UInt64(56 &- 8 &* count))
    }
}

/// Neighbours are joined to pairs, pairs to fours, fours to eight, each in one multiplication
/// (Daniel Lemire, "Quickly parsing eight digits", 2018).
@inline(__always)
private func joined(_ digits: UInt64) -> UInt64 {
    let value = (digits &* 10) &+ (digits >> 8)
    let first = (value & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
    let second = ((value >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
    return (first &+ second) >> 32
}

private let wholePowersOfTen: [8 of UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000,
]

extension JSONScanner {
    /// Those from byte `i` on, where eight bytes are left.
    @unsafe @inline(__always)
    func eightDigits(uncheckedAt i: Int) -> EightDigits {
        let bytes = unsafe text.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: i, as: UInt64.self)
        return EightDigits(bytes.littleEndian)
    }
}
