/// Python's notion of text: what `bytes.decode("utf-8")` takes and `str.split()` splits at.
enum PythonText {
    /// Whether `str.isspace()` holds for the scalar, so that `str.split()` splits there.
    @inline(__always)
    static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029,
            0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// The text without space at its ends, as `str.strip()`.
    static func stripped(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let isText = { (scalar: Unicode.Scalar) in !isSpace(scalar.value) }
        guard let first = scalars.firstIndex(where: isText),
            let last = scalars.lastIndex(where: isText)
        else { return "" }
        return String(scalars[first...last])
    }

    /// A form's text with `%XX` and "+" resolved, as `urllib.parse.unquote_plus`.
    ///
    /// - Parameter bytes: the text in Latin-1; only runs of ASCII are read as escaped UTF-8.
    static func unquotedPlus(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == percent, index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
                let low = hexDigit(bytes[index + 2])
            {
                text.append(high << 4 | low)
                index += 3
                continue
            }
            text.append(latin1: byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        // What a run leaves unfinished is replaced: the byte after it begins a character.
        return String(decoding: text, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

private let percent = UInt8(ascii: "%")
