/// The scalar whose first byte stands at `position`, which moves past it; `text` must be valid
/// UTF-8.
func decodeScalar(_ text: Span<UInt8>, at position: inout Int) -> UInt32 {
    let first = UInt32(text[position])
    let count = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var scalar = count == 1 ? first : first & (0x7F >> UInt32(count))
    for index in position + 1..<position + count {
        scalar = scalar << 6 | UInt32(text[index] & 0x3F)
    }
    position += count
    return scalar
}

/// Gives the UTF-8 of a scalar to a function, byte by byte.
func forEachByte(of scalar: UInt32, _ body: (UInt8) -> Void) {
    let tail = { (shift: UInt32) in UInt8(0x80 | (scalar >> shift) & 0x3F) }
    switch scalar {
    case ..<0x80:
        body(UInt8(scalar))
    case ..<0x800:
        body(UInt8(0xC0 | scalar >> 6))
        body(tail(0))
    case ..<0x1_0000:
        body(UInt8(0xE0 | scalar >> 12))
        body(tail(6))
        body(tail(0))
    default:
        body(UInt8(0xF0 | scalar >> 18))
        body(tail(12))
        body(tail(6))
        body(tail(0))
    }
}
