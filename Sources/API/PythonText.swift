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

    /// A form's text with `%XX` and "+" resolved, as `urllib.parse.unquote_plus`.
    ///
    /// - Parameter bytes: the text in Latin-1; only runs of ASCII are read as escaped UTF-8.
    static func unquotedPlus(_ bytes: [UInt8]) -> String {
        let spaced = bytes.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }
        guard spaced.contains(percent) else { return FormCharset.latin1Text(spaced) }
        var text = ""
        var rest = spaced[...]
        while let first = rest.first {
            let isASCII = first < 0x80
            let run = rest.prefix { ($0 < 0x80) == isASCII }
            text +=
                isASCII
                ? String(decoding: percentDecoded(run), as: UTF8.self)
                : FormCharset.latin1Text(run)
            rest = rest.dropFirst(run.count)
        }
        return text
    }

    private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == percent, index + 2 < text.endIndex,
                let high = hexDigit(text[index + 1]), let low = hexDigit(text[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(text[index])
                index += 1
            }
        }
        return decoded
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
