/// The run of digits at the beginning of eight bytes of text.
struct EightDigits {
    /// The digit of each byte, the first byte in the lowest; meaningless for a byte that is no
    /// digit.
    private let digits: UInt64

    /// Bit 7 of each byte that is no digit.
    ///
    /// Only the first such byte is exact.
    private let others: UInt64

    /// - Parameter text: eight bytes of text, the first one in the lowest byte.
    @inline(__always)
    init(_ text: UInt64) {
        digits = text ^ 0x3030_3030_3030_3030
        // A byte above 9 sets its bit 7. A carry begins only behind such a byte.
        others = (digits &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
    }

    /// Whether all bytes are digits.
    var isFull: Bool {
        @inline(__always) get { others == 0 }
    }

    /// The number of digits before the first byte that is none.
    var count: Int {
        @inline(__always) get { others.trailingZeroBitCount / 8 }
    }

    /// The number that eight digits spell.
    var eight: UInt64 {
        @inline(__always) get { joined(digits) }
    }

    /// `number` with these digits, fewer than eight, appended.
    @inline(__always)
    func appended(to number: UInt64) -> UInt64 {
        // The shift puts zeros before the digits in place of the bytes that are no digits.
        number &* wholePowersOfTen[count] &+ joined((digits &<< 8) &<< UInt64(56 &- 8 &* count))
    }
}

/// Joins neighbours to pairs, pairs to fours and fours to eight, one multiplication each
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
    /// The digits at byte `i`.
    ///
    /// The caller makes sure that eight bytes are left there.
    @unsafe @inline(__always)
    func eightDigits(uncheckedAt i: Int) -> EightDigits {
        let bytes = unsafe text.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: i, as: UInt64.self)
        return EightDigits(bytes.littleEndian)
    }
}
