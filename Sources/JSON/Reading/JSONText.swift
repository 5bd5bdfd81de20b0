/// A body's characters, in whatever encoding the body came.
///
/// Decoded as by Python's `json.loads(bytes)`: UTF-8, UTF-16 or UTF-32, recognised by a byte order
/// mark or by the places of the zero bytes. Unpaired surrogates are accepted (`surrogatepass`).
public struct JSONText: Sendable {
    /// WTF-8 without a byte order mark: UTF-8, and three bytes for an unpaired surrogate.
    ///
    /// An unchecked text may hold any bytes.
    public let bytes: [UInt8]

    /// Takes `body` unchecked, for a reader that accepts only ASCII.
    ///
    /// The check is a notable part of the cost of reading numbers.
    public init(unchecked body: [UInt8]) { bytes = body }

    /// The characters of `body`.
    ///
    /// - Throws: `JSONError` with cause `encoding`; its place is the number of characters before
    ///   the fault.
    public init(decoding body: [UInt8]) throws(JSONError) {
        switch JSONEncoding(detectedIn: body) {
        case .utf8(let mark):
            bytes = mark > 0 ? Array(body[mark...]) : body
            if let fault = firstFault(inUTF8: bytes.span) {
                throw JSONError(
                    message: "invalid UTF-8", position: characters(in: bytes.span, before: fault),
                    cause: .encoding)
            }
        case .utf16(let mark, let bigEndian):
            bytes = try transcode(utf16: body.span, from: mark, bigEndian: bigEndian)
        case .utf32(let mark, let bigEndian):
            bytes = try transcode(utf32: body.span, from: mark, bigEndian: bigEndian)
        }
    }
}

/// Python's `json.detect_encoding`; `mark` is the length of the byte order mark that the codec
/// drops.
private enum JSONEncoding {
    case utf8(mark: Int)
    case utf16(mark: Int, bigEndian: Bool)
    case utf32(mark: Int, bigEndian: Bool)

    init(detectedIn bytes: [UInt8]) {
        if bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
            self = .utf32(mark: 4, bigEndian: true)
        } else if bytes.starts(with: [0xFF, 0xFE, 0, 0]) {
            self = .utf32(mark: 4, bigEndian: false)
        } else if bytes.starts(with: [0xFE, 0xFF]) {
            self = .utf16(mark: 2, bigEndian: true)
        } else if bytes.starts(with: [0xFF, 0xFE]) {
            self = .utf16(mark: 2, bigEndian: false)
        } else if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            self = .utf8(mark: 3)
        } else if bytes.count >= 4 {
            switch (bytes[0] == 0, bytes[1] == 0) {
            case (true, true): self = .utf32(mark: 0, bigEndian: true)
            case (true, false): self = .utf16(mark: 0, bigEndian: true)
            case (false, true):
                self =
                    bytes[2] == 0 && bytes[3] == 0
                    ? .utf32(mark: 0, bigEndian: false) : .utf16(mark: 0, bigEndian: false)
            case (false, false): self = .utf8(mark: 0)
            }
        } else if bytes.count == 2, bytes[0] == 0 {
            self = .utf16(mark: 0, bigEndian: true)
        } else if bytes.count == 2, bytes[1] == 0 {
            self = .utf16(mark: 0, bigEndian: false)
        } else {
            self = .utf8(mark: 0)
        }
    }
}

/// The number of characters that begin before byte `end` of WTF-8.
func characters(in text: Span<UInt8>, before end: Int) -> Int {
    var count = 0
    for i in 0..<end where text[i] & 0xC0 != 0x80 { count += 1 }
    return count
}

/// The index of the first byte outside a well-formed sequence; nil if there is none.
///
/// Surrogates are accepted.
private func firstFault(inUTF8 text: Span<UInt8>) -> Int? {
    func continues(_ i: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
        i < text.count && range.contains(text[i])
    }
    func highBits(_ i: Int) -> UInt64 {
        unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self)
            & 0x8080_8080_8080_8080
    }
    var i = 0
    while i < text.count {
        // Most bodies are ASCII: skips 32 bytes at once while none has its high bit set.
        while i &+ 32 <= text.count {
            guard (highBits(i) | highBits(i &+ 8) | highBits(i &+ 16) | highBits(i &+ 24)) == 0
            else { break }
            i &+= 32
        }
        guard i < text.count else { return nil }
        switch text[i] {
        case 0x00...0x7F: i += 1
        case 0xC2...0xDF:
            guard continues(i + 1) else { return i }
            i += 2
        case 0xE0...0xEF:
            guard continues(i + 1, text[i] == 0xE0 ? 0xA0...0xBF : 0x80...0xBF), continues(i + 2)
            else { return i }
            i += 3
        case 0xF0...0xF4:
            let second: ClosedRange<UInt8> =
                text[i] == 0xF0 ? 0x90...0xBF : text[i] == 0xF4 ? 0x80...0x8F : 0x80...0xBF
            guard continues(i + 1, second), continues(i + 2), continues(i + 3) else { return i }
            i += 4
        default: return i
        }
    }
    return nil
}

private func transcode(
    utf16 body: Span<UInt8>, from mark: Int, bigEndian: Bool
) throws(JSONError) -> [UInt8] {
    func unit(_ i: Int) -> UInt32 {
        let (a, b) = (UInt32(body[i]), UInt32(body[i + 1]))
        return bigEndian ? a << 8 | b : b << 8 | a
    }
    var bytes: [UInt8] = []
    // A unit of two bytes may become three. Reserved memory that is never touched costs nothing;
    // growing would hold the text twice.
    bytes.reserveCapacity(body.count / 2 * 3)
    var i = mark
    while i + 1 < body.count {
        var scalar = unit(i)
        i += 2
        if 0xD800...0xDBFF ~= scalar, i + 1 < body.count, 0xDC00...0xDFFF ~= unit(i) {
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (unit(i) - 0xDC00)
            i += 2
        }
        append(codePoint: scalar, to: &bytes)
    }
    guard i == body.count else {
        throw JSONError(
            message: "truncated UTF-16", position: characters(in: bytes.span, before: bytes.count),
            cause: .encoding)
    }
    return bytes
}

private func transcode(
    utf32 body: Span<UInt8>, from mark: Int, bigEndian: Bool
) throws(JSONError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count)
    var i = mark
    while i < body.count {
        var scalar: UInt32 = 0x110000
        if i + 3 < body.count {
            scalar = (0..<4).reduce(0) { $0 << 8 | UInt32(body[bigEndian ? i + $1 : i + 3 - $1]) }
        }
        guard scalar < 0x110000 else {
            throw JSONError(
                message: "invalid UTF-32", position: (i - mark) / 4, cause: .encoding)
        }
        append(codePoint: scalar, to: &bytes)
        i += 4
    }
    return bytes
}

/// Appends a code point, even a surrogate, as WTF-8.
func append(codePoint: UInt32, to bytes: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (codePoint >> shift) & 0x3F) }
    switch codePoint {
    case 0..<0x80: bytes.append(UInt8(codePoint))
    case 0..<0x800:
        bytes.append(UInt8(0xC0 | codePoint >> 6))
        bytes.append(tail(0))
    case 0..<0x10000:
        bytes.append(UInt8(0xE0 | codePoint >> 12))
        bytes.append(tail(6))
        bytes.append(tail(0))
    default:
        bytes.append(UInt8(0xF0 | codePoint >> 18))
        bytes.append(tail(12))
        bytes.append(tail(6))
        bytes.append(tail(0))
    }
}
