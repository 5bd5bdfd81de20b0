/// CRC-32 of zip files (ISO 3309, reflected polynomial 0xEDB88320) over `bytes[range]`.
///
/// Four bytes a step with four tables; the range must lie inside `bytes`.
func crc32(of bytes: [UInt8], in range: Range<Int>) -> UInt32 { crc32(of: bytes.span, in: range) }

private func crc32(of bytes: Span<UInt8>, in range: Range<Int>) -> UInt32 {
    let tables = crcTables.span
    var crc: UInt32 = 0xFFFF_FFFF
    var next = range.lowerBound
    while range.upperBound - next >= 4 {
        let word = crc ^ littleEndian32(bytes, at: next)
        crc =
            tables[768 + Int(word & 0xFF)] ^ tables[512 + Int(word >> 8 & 0xFF)]
            ^ tables[256 + Int(word >> 16 & 0xFF)] ^ tables[Int(word >> 24)]
        next += 4
    }
    while next < range.upperBound {
        crc = tables[Int((crc ^ UInt32(bytes[next])) & 0xFF)] ^ crc >> 8
        next += 1
    }
    return ~crc
}

/// Table k advances a byte past k further zero bytes.
private let crcTables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 4 * 256)
    for index in 0..<256 {
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
        tables[index] = value
    }
    for index in 256..<tables.count {
        let before = tables[index - 256]
        tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
    }
    return tables
}()

/// CRC-32 over a whole slice.
func crc32(of bytes: ArraySlice<UInt8>) -> UInt32 { crc32(of: bytes.span, in: 0..<bytes.count) }
