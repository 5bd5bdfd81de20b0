/// Appends `values` as a JSON array of the shortest decimals that read back as the same floats.
///
/// The layout is Python's: an exponent below 1e-4 and from 1e16. JSON cannot hold a value that is
/// not finite; it becomes `null`.
public func appendJSON(_ values: Span<Float>, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "["))
    // The digits of a whole block come first. The steps for one value depend on each other; the
    // processor fills the gaps with steps of the next value. Value by value is slower.
    var digits: [32 of NineDigits] = .init(repeating: NineDigits(ShortestDecimal(1)))
    for start in stride(from: 0, to: values.count, by: digits.count) {
        let end = min(start + digits.count, values.count)
        for i in start..<end {
            digits[i - start] = NineDigits(ShortestDecimal(values[i].magnitude))
        }
        // Reserves the longest spelling of each value and fills it through one pointer. Appending
        // byte by byte is several times slower.
        output.append(addingCapacity: digits.count * (longestFloat + 1)) { text in
            unsafe text.withUnsafeMutableBufferPointer { buffer, count in
                var writer = unsafe FloatWriter(buffer: buffer, position: 0)
                for i in start..<end {
                    if i > 0 { writer.put(UInt8(ascii: ",")) }
                    writer.put(values[i], digits[i - start])
                }
                count = writer.position
            }
        }
    }
    output.append(UInt8(ascii: "]"))
}

/// The longest spelling is "-12345678900000000.0".
///
/// The writer stores up to eight bytes more than it keeps.
private let longestFloat = 32

@safe
private struct FloatWriter {
    // Unchecked in release builds; `appendJSON` reserves the room beforehand.
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
    mutating func put(_ value: Float, _ digits: NineDigits) {
        guard value.isFinite else {
            put(eight: 0x6C6C_756E, count: 4)  // null
            return
        }
        // No branch on the sign: a processor cannot predict it.
        put(eight: UInt64(UInt8(ascii: "-")), count: Int(value.bitPattern >> 31))
        guard value != 0 else {
            put(eight: 0x302E30, count: 3)  // 0.0
            return
        }
        let point = digits.point
        if -3...0 ~= point {
            put(eight: eightZeros & ~0xFF00 | UInt64(UInt8(ascii: ".")) << 8, count: 2 - point)
            put(digits.first)
            put(eight: digits.others, count: digits.count - 1)
        } else if 1...16 ~= point {
            putPlain(digits, point: point)
        } else {
            putScientific(digits, power: point - 1)
        }
    }

    @inline(__always)
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

    @inline(__always)
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
