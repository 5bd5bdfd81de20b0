/// The character set of the names and texts of a multipart form.
///
/// Text that is not valid in its set is read as Latin-1, as in Python. So is text in an unknown
/// set. The multibyte sets of East Asia and UTF-7 are unknown on purpose.
enum FormCharset: Equatable {
    case utf8
    /// UTF-8 whose leading byte order mark is dropped.
    case utf8WithMark
    /// UTF-16 in a byte order, or in that of its mark.
    case utf16(ByteOrder?)
    /// UTF-32 in a byte order, or in that of its mark.
    case utf32(ByteOrder?)
    case latin1
    /// A set of single bytes, by its row in the tables.
    case singleByte(Int)

    /// The set that Python knows under `label`.
    init(label: [UInt8]) {
        guard let row = CharsetNames.row(of: CharsetNames.normalised(label)) else {
            self = .latin1
            return
        }
        self =
            row < Self.unicode.count
            ? Self.unicode[row] : .singleByte(row - Self.unicode.count)
    }

    /// The sets of the first rows of the table of names, in its order.
    private static let unicode: [FormCharset] = [
        .utf8, .utf8WithMark, .utf16(nil), .utf16(.little), .utf16(.big), .utf32(nil),
        .utf32(.little), .utf32(.big),
    ]

    /// The text that `bytes` spell.
    func text(of bytes: [UInt8]) -> String {
        let decoded: String? =
            switch self {
            case .utf8: String(validating: bytes, as: UTF8.self)
            case .utf8WithMark:
                String(
                    validating: bytes.starts(with: [0xEF, 0xBB, 0xBF])
                        ? bytes.dropFirst(3) : bytes[...], as: UTF8.self)
            case .utf16(let order): WideText.utf16(bytes, order)
            case .utf32(let order): WideText.utf32(bytes, order)
            case .latin1: nil
            case .singleByte(let row): Self.text(of: bytes, row: row)
            }
        return decoded ?? Self.latin1Text(bytes)
    }

    /// The text of `bytes`, each of which is a Unicode scalar.
    static func latin1Text(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes { text.append(latin1: byte) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The text in a set of single bytes; nil if one of them is an error.
    private static func text(of bytes: [UInt8], row: Int) -> String? {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            guard let scalar = CharsetTables.scalar(of: byte, row: row) else { return nil }
            text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends, in UTF-8, the scalar that `byte` is in Latin-1.
    mutating func append(latin1 byte: UInt8) {
        if byte >= 0x80 {
            append(0xC0 | byte >> 6)
            append(0x80 | byte & 0x3F)
        } else {
            append(byte)
        }
    }
}

extension CharsetTables {
    /// The scalar of a byte in the set of a row; nil for an error.
    fileprivate static func scalar(of byte: UInt8, row: Int) -> Unicode.Scalar? {
        let index: Int
        if row < halves {
            if byte < 0x80 { return Unicode.Scalar(byte) }
            index = row * 128 + Int(byte & 0x7F)
        } else {
            index = halves * 128 + (row - halves) * 256 + Int(byte)
        }
        let place = index * 3
        precondition(place + 3 <= scalars.utf8CodeUnitCount, "byte \(byte) of row \(row)")
        let base = unsafe scalars.utf8Start
        var value: UInt32 = 0
        for digit in place..<place + 3 { unsafe value = value << 6 | UInt32(base[digit] &- 63) }
        return value == undefined ? nil : Unicode.Scalar(value)
    }
}
