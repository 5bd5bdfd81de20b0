/// The order of a number's bytes: the least or the greatest first.
enum ByteOrder: Equatable {
    case little
    case big
}

/// UTF-16 and UTF-32 as Python decodes them: whole and without an error, or not at all.
///
/// If no order is stated, a mark gives it and is dropped; without a mark the least byte is first.
/// If an order is stated, a mark is a character.
enum WideText {
    /// The text of UTF-16; nil if a surrogate is unpaired or a byte is left over.
    static func utf16(_ bytes: [UInt8], _ order: ByteOrder?) -> String? {
        guard bytes.count.isMultiple(of: 2) else { return nil }
        let (order, start) = order.map { ($0, 0) } ?? mark(of: bytes, width: 2)
        return String(
            validating: stride(from: start, to: bytes.count, by: 2).lazy.map {
                UInt16(truncatingIfNeeded: number(bytes[$0..<$0 + 2], order))
            }, as: UTF16.self)
    }

    /// The text of UTF-32; nil if a number is no scalar or a byte is left over.
    static func utf32(_ bytes: [UInt8], _ order: ByteOrder?) -> String? {
        guard bytes.count.isMultiple(of: 4) else { return nil }
        let (order, start) = order.map { ($0, 0) } ?? mark(of: bytes, width: 4)
        return String(
            validating: stride(from: start, to: bytes.count, by: 4).lazy.map {
                number(bytes[$0..<$0 + 4], order)
            }, as: UTF32.self)
    }

    /// The order that a byte order mark states, and the mark's length.
    private static func mark(of bytes: [UInt8], width: Int) -> (ByteOrder, Int) {
        for order in [ByteOrder.little, .big] where bytes.count >= width {
            if number(bytes[..<width], order) == 0xFEFF { return (order, width) }
        }
        return (.little, 0)
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ order: ByteOrder) -> UInt32 {
        switch order {
        case .little: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        case .big: bytes.reduce(0) { $0 << 8 | UInt32($1) }
        }
    }
}
