/// Appends `values`, as little-endian floats, in standard Base64 with padding (RFC 4648, section 4).
public func appendBase64(_ values: Span<Float>, to output: inout [UInt8]) {
    let groups = (values.count + 2) / 3
    let pairs = pairs
    output.append(addingCapacity: 16 * groups) { text in
        unsafe text.withUnsafeMutableBufferPointer { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            // Three floats are sixteen characters, without a rest.
            for group in 0..<groups {
                let eights = sixteen(
                    bits(values, 3 * group), bits(values, 3 * group + 1),
                    bits(values, 3 * group + 2),
                    pairs.span)
                unsafe bytes.storeBytes(of: eights.0, toByteOffset: 16 * group, as: UInt64.self)
                unsafe bytes.storeBytes(of: eights.1, toByteOffset: 16 * group + 8, as: UInt64.self)
            }
            // Two floats have 11 characters of their own, one has 6; padding fills up to fours.
            let missing = 3 * groups - values.count
            count = 16 * groups - 4 * missing
            for i in count - missing..<count { unsafe buffer[i] = UInt8(ascii: "=") }
        }
    }
}

/// The bytes of a float, the first one highest; 0 behind the last float.
@inline(__always)
private func bits(_ values: Span<Float>, _ index: Int) -> UInt32 {
    index < values.count ? values[index].bitPattern.byteSwapped : 0
}

/// The characters of twelve bytes, the first in the lowest byte as a little-endian store lays it.
@inline(__always)
private func sixteen(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ pairs: Span<UInt16>
) -> (UInt64, UInt64) {
    func eight(_ first: UInt32, _ second: UInt32, _ third: UInt32, _ fourth: UInt32) -> UInt64 {
        let low = UInt64(pairs[Int(first)]) | UInt64(pairs[Int(second)]) << 16
        let high = UInt64(pairs[Int(third)]) | UInt64(pairs[Int(fourth)]) << 16
        return (low | high << 32).littleEndian
    }
    let twelve: UInt32 = 0xFFF
    return (
        eight(a >> 20, a >> 8 & twelve, (a << 4 | b >> 28) & twelve, b >> 16 & twelve),
        eight(b >> 4 & twelve, (b << 8 | c >> 24) & twelve, c >> 12 & twelve, c & twelve)
    )
}

/// Two characters for every twelve bits, the first in the lower byte.
private let pairs: [UInt16] = {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    return (0..<4096).map { UInt16(alphabet[$0 >> 6]) | UInt16(alphabet[$0 & 63]) << 8 }
}()
