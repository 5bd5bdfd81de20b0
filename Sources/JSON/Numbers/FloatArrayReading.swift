extension JSONScanner {
    /// Reads `count` numbers with commas between them; false if anything else stands there.
    mutating func readFloats(_ count: Int, into floats: inout OutputSpan<Float>) -> Bool {
        for i in 0..<count {
            skipSpace()
            if i < count - 1, let value = floatAndComma() {
                floats.append(value)
                continue
            }
            guard let value = float() else { return false }
            floats.append(value)
            guard i < count - 1 else { break }
            skipSpace()
            guard sees(UInt8(ascii: ",")) else { return false }
            position += 1
        }
        return true
    }

    /// The fast form of `float` for a digit, the point, one to 22 digits and a comma.
    ///
    /// Nearly every number of an embedding has this form. Steps behind the comma; for any other
    /// text it gives nil and does not step. No branch depends on data that a processor cannot
    /// predict: the sign, and the number of digits behind those taken eight at a time.
    @inline(__always)
    private mutating func floatAndComma() -> Float? {
        // The longest number is "-1.", 23 digits and the byte behind them.
        guard position &+ 32 <= text.count else { return nil }
        let isNegative: UInt32 = text[position] == UInt8(ascii: "-") ? 1 : 0
        var i = position &+ Int(isNegative)
        let digitAndPoint = unsafe text.bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: i, as: UInt16.self)
        var digits = UInt64(digitAndPoint.littleEndian ^ 0x2E30)
        guard digits < 10 else { return nil }
        i &+= 2
        let fraction = i
        var next = unsafe eightDigits(uncheckedAt: i)
        while next.isFull {
            guard i < fraction + 16 else { return nil }
            digits = digits &* 100_000_000 &+ next.eight
            i &+= 8
            next = unsafe eightDigits(uncheckedAt: i)
        }
        i &+= next.count
        let places = i &- fraction
        guard text[i] == UInt8(ascii: ","), 1...22 ~= places, digits < limits[next.count] else {
            return nil
        }
        digits = next.appended(to: digits)
        // Three roundings: at most three units in the last place. The rest is as in
        // `isSafelySingle`, for a value of 0 or from 1e-22 to 10.
        let magnitude = Double(Int64(digits)) * tenths[places]
        guard (magnitude.bitPattern &- 0x0FFF_FFFC) & 0x1FFF_FFFF > 8 else { return nil }
        position = i &+ 1
        return Float(bitPattern: Float(magnitude).bitPattern | isNegative &<< 31)
    }
}

/// By the number of digits still to come: the numbers below this stay below 10^18 with them.
private let limits: [8 of UInt64] = [
    1_000_000_000_000_000_000, 100_000_000_000_000_000, 10_000_000_000_000_000,
    1_000_000_000_000_000, 100_000_000_000_000, 10_000_000_000_000, 1_000_000_000_000,
    100_000_000_000,
]

/// 10^0 … 10^-22, rounded to doubles.
private let tenths: [23 of Double] = [
    1e-0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14,
    1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22,
]
