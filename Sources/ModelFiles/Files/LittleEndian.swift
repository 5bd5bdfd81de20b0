/// The 16-bit number at `offset`, which must leave room for it.
func littleEndian16(_ bytes: Span<UInt8>, at offset: Int) -> UInt16 {
    UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
}

/// The 32-bit number at `offset`, which must leave room for it.
func littleEndian32(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
    UInt32(littleEndian16(bytes, at: offset))
        | UInt32(littleEndian16(bytes, at: offset + 2)) << 16
}

/// The 64-bit number at `offset`, which must leave room for it.
func littleEndian64(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
    UInt64(littleEndian32(bytes, at: offset))
        | UInt64(littleEndian32(bytes, at: offset + 4)) << 32
}

extension [UInt8] {
    /// Appends an integer's bytes, lowest first.
    mutating func append(littleEndian value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends the bytes of each float, lowest first.
    mutating func append(floats: Span<Float>) {
        reserveCapacity(count + 4 * floats.count)
        for i in floats.indices {
            let bits = floats[i].bitPattern
            append(UInt8(truncatingIfNeeded: bits))
            append(UInt8(truncatingIfNeeded: bits >> 8))
            append(UInt8(truncatingIfNeeded: bits >> 16))
            append(UInt8(truncatingIfNeeded: bits >> 24))
        }
    }
}
