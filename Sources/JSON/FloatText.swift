/// Appends `values` as a JSON array of the shortest decimals that read back as the same floats.
///
/// The layout is Python's: an exponent below 1e-4 and from 1e16. A value that is not finite, which
/// JSON cannot hold, is printed as `null`.
public func appendJSON(_ values: Span<Float>, to output: inout [UInt8]) {
    // Room for the longest spelling of each, filled through one pointer and cut to what was used:
    // appending byte by byte costs three times as much.
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: values.count * (longestFloat + 1) + 2))
    var end = start
    unsafe output.withUnsafeMutableBufferPointer { buffer in
        var writer = unsafe FloatWriter(buffer: buffer, position: start)
        writer.put(UInt8(ascii: "["))
        for i in values.indices {
            if i > 0 { writer.put(UInt8(ascii: ",")) }
            writer.put(values[i])
        }
        writer.put(UInt8(ascii: "]"))
        end = writer.position
    }
    output.removeLast(output.count - end)
}

/// The longest spelling is "-12345678900000000.0"; the writer stores up to eight bytes more than it keeps.
private let longestFloat = 32

@safe
private struct FloatWriter {
    // Unchecked in release builds; `appendJSON` makes the room beforehand.
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var position: Int

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        unsafe buffer[position] = byte
        position &+= 1
    }

    /// Stores eight characters, the first in the lowest byte, and keeps `count` of them.
    @inline(__always)
    mutating func put(eight: UInt64, count: Int) {
        unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
            of: eight.littleEndian, toByteOffset: position, as: UInt64.self)
        position &+= count
    }

    @inline(__always)
    mutating func put(_ value: Float) {
        guard value.isFinite else {
            put(eight: 0x6C6C_756E, count: 4)  // null
            return
        }
        // The sign of a number cannot be guessed, so it is not asked for.
        put(eight: UInt64(UInt8(ascii: "-")), count: Int(value.bitPattern >> 31))
        guard value != 0 else {
            put(eight: 0x302E30, count: 3)  // 0.0
            return
        }
        let digits = NineDigits(ShortestDecimal(value.magnitude))
        let point = digits.point
        if -3...0 ~= point {
            put(eight: zeros & ~0xFF00 | UInt64(UInt8(ascii: ".")) << 8, count: 2 - point)
            put(digits.first)
            put(eight: digits.others, count: digits.count - 1)
        } else if 1...16 ~= point {
            putPlain(digits, point: point)
        } else {
            putScientific(digits, power: point - 1)
        }
    }

    private mutating func putPlain(_ digits: NineDigits, point: Int) {
        put(digits.first)
        if digits.count <= point {
            put(eight: digits.others, count: digits.count - 1)
            for _ in 0..<(point - digits.count) { put(UInt8(ascii: "0")) }
            put(UInt8(ascii: "."))
            put(UInt8(ascii: "0"))
        } else {
            put(eight: digits.others, count: point - 1)
            put(UInt8(ascii: "."))
            put(eight: digits.others >> UInt64(8 * (point - 1)), count: digits.count - point)
        }
    }

    private mutating func putScientific(_ digits: NineDigits, power: Int) {
        put(digits.first)
        if digits.count > 1 { put(UInt8(ascii: ".")) }
        put(eight: digits.others, count: digits.count - 1)
        put(UInt8(ascii: "e"))
        put(power < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let tens = UInt8(power.magnitude) / 10
        put(UInt8(ascii: "0") + tens)
        put(UInt8(ascii: "0") + UInt8(power.magnitude) - 10 * tens)
    }
}

/// Eight zeros in ASCII.
private let zeros: UInt64 = 0x3030_3030_3030_3030

/// A decimal's characters, filled up with zeros to nine.
private struct NineDigits {
    let first: UInt8

    /// Eight characters, the first in the lowest byte.
    let others: UInt64

    /// How many of the nine there are before the zeros at the end.
    let count: Int

    /// How many of them stand before the decimal point.
    let point: Int

    @inline(__always)
    init(_ decimal: ShortestDecimal) {
        // log₁₀ from log₂, one too low at times.
        let guess = ((32 - decimal.digits.leadingZeroBitCount) * 1233) >> 12
        let given = guess &+ (decimal.digits < wholePowersOfTen[guess] ? 0 : 1)
        let nine = decimal.digits &* wholePowersOfTen[9 &- given]
        let leading = nine / 100_000_000
        first = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: leading)
        others = eightCharacters(nine &- leading &* 100_000_000)
        count = 9 - (others ^ zeros).leadingZeroBitCount / 8
        point = decimal.exponent + given
    }
}

/// The eight decimal digits of `value` in ASCII, the first in the lowest byte: halves to fours,
/// fours to pairs, pairs to digits, each level in all its places at once.
@inline(__always)
private func eightCharacters(_ value: UInt32) -> UInt64 {
    let high = value / 10_000
    let fours = UInt64(high) | UInt64(value &- high &* 10_000) << 32
    let hundreds = ((fours &* 10_486) >> 20) & 0x0000_007F_0000_007F
    let pairs = hundreds | (fours &- hundreds &* 100) << 16
    let tens = ((pairs &* 103) >> 10) & 0x000F_000F_000F_000F
    return (tens | (pairs &- tens &* 10) << 8) | zeros
}

private let wholePowersOfTen: [10 of UInt32] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
]
