/// Python's rules for text: what `bytes.decode("utf-8")` accepts and where `str.split()` splits.
enum PythonText {
    /// Whether Python's `str.isspace()` holds for the scalar, so that `str.split()` splits there.
    @inline(__always)
    static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029,
            0x202F, 0x205F, 0x3000:
            true
        default: false
        }
    }

    /// The text without space at its ends, as Python's `str.strip()`.
    static func stripped(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let isText = { (scalar: Unicode.Scalar) in !isSpace(scalar.value) }
        guard let first = scalars.firstIndex(where: isText),
            let last = scalars.lastIndex(where: isText)
        else { return "" }
        return String(scalars[first...last])
    }

    /// A form's text with `%XX` and "+" decoded, as Python's `urllib.parse.unquote_plus`.
    ///
    /// - Parameter bytes: the text in Latin-1; only runs of ASCII are read as escaped UTF-8.
    static func unquotedPlus(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == percent, index + 2 < bytes.count, let high = bytes[index + 1].hexValue,
                let low = bytes[index + 2].hexValue
            {
                text.append(high << 4 | low)
                index += 3
                continue
            }
            text.append(latin1: byte == UInt8(ascii: "+") ? 0x20 : byte)
            index += 1
        }
        // A sequence that a run leaves unfinished is replaced: the next byte begins a character.
        return String(decoding: text, as: UTF8.self)
    }
}

private let percent = UInt8(ascii: "%")

/// Checks that bytes are UTF-8 and counts their words; the cuts between pieces do not matter.
struct PythonTextWords {
    /// Words so far, as Python's `len(text.split())`; meaningless once `invalidOffset` is set.
    private(set) var count = 0

    /// The offset of the first byte that `bytes.decode("utf-8")` refuses; nil while there is none.
    private(set) var invalidOffset: Int?

    private var offset = 0
    private var insideWord = false

    /// The unfinished sequence: its offset, its bits so far and the bytes still to come.
    private var sequenceStart = 0
    private var scalar: UInt32 = 0
    private var missing = 0
    /// What the next byte of the sequence may be (Unicode 3.9, table 3-7: no overlong forms, no
    /// surrogates, nothing above U+10FFFF).
    private var continuation: ClosedRange<UInt8> = 0x80...0xBF

    /// Takes the next bytes.
    mutating func add(_ bytes: Span<UInt8>) {
        guard invalidOffset == nil else { return }
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if missing > 0 {
                guard continuation.contains(byte) else {
                    invalidOffset = sequenceStart
                    return
                }
                scalar = scalar << 6 | UInt32(byte & 0x3F)
                continuation = 0x80...0xBF
                missing -= 1
                if missing == 0 { meet(isSpace: PythonText.isSpace(scalar)) }
            } else if byte < 0x80 {
                meet(isSpace: byte <= 0x20 && PythonText.isSpace(UInt32(byte)))
            } else {
                sequenceStart = offset + index - 1
                guard begin(byte) else {
                    invalidOffset = sequenceStart
                    return
                }
            }
        }
        offset += bytes.count
    }

    /// Takes the end of the bytes; a sequence cut short is invalid.
    mutating func finish() {
        if missing > 0, invalidOffset == nil { invalidOffset = sequenceStart }
    }

    @inline(__always)
    private mutating func meet(isSpace: Bool) {
        count += insideWord || isSpace ? 0 : 1
        insideWord = !isSpace
    }

    private mutating func begin(_ lead: UInt8) -> Bool {
        switch lead {
        case 0xC2...0xDF: (missing, scalar) = (1, UInt32(lead & 0x1F))
        case 0xE0...0xEF: (missing, scalar) = (2, UInt32(lead & 0x0F))
        case 0xF0...0xF4: (missing, scalar) = (3, UInt32(lead & 0x07))
        default: return false
        }
        switch lead {
        case 0xE0: continuation = 0xA0...0xBF
        case 0xED: continuation = 0x80...0x9F
        case 0xF0: continuation = 0x90...0xBF
        case 0xF4: continuation = 0x80...0x8F
        default: continuation = 0x80...0xBF
        }
        return true
    }
}
