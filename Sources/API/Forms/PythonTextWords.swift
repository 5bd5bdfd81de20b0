/// Checks that bytes are UTF-8 and counts their words, whatever the pieces they come in.
struct PythonTextWords {
    /// Runs of non-space characters so far, as `len(text.split())`; meaningless once invalid.
    private(set) var count = 0

    /// Offset of the first byte that `bytes.decode("utf-8")` refuses, nil while there is none.
    private(set) var invalidOffset: Int?

    private var offset = 0
    private var insideWord = false

    /// The sequence begun but not finished: its offset, its bits so far and the bytes still to come.
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

    /// Says that no more bytes come; a sequence cut short is invalid.
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
