extension JSONTree {
    /// The characters of a string, as WTF-8.
    public func string(of node: JSONNode) -> [UInt8] { string(at: node.start) }

    /// The characters, as WTF-8, of the string whose opening quote is byte `quote`.
    func string(at quote: Int) -> [UInt8] { unescape(stringAt: quote, in: text.span) }

    /// Appends a string in quotes as `json.dumps(…, ensure_ascii=False)` does.
    ///
    /// UTF-8 cannot hold an unpaired surrogate; it stays an escape.
    func writeString(at quote: Int, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        let characters = string(at: quote)
        var i = 0
        while i < characters.count {
            if isSurrogate(at: i, in: characters) {
                let unit =
                    0xD000 | UInt32(characters[i + 1] & 0x3F) << 6
                    | UInt32(characters[i + 2] & 0x3F)
                output.append(contentsOf: "\\u".utf8)
                output.append(contentsOf: String(unit, radix: 16).utf8)
                i += 3
            } else {
                appendEscaped(characters[i], to: &output)
                i += 1
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}

/// The characters, as WTF-8, of a string that the scanner has accepted.
func unescape(stringAt quote: Int, in text: Span<UInt8>) -> [UInt8] {
    var characters: [UInt8] = []
    var i = quote + 1
    while text[i] != UInt8(ascii: "\"") {
        if text[i] == UInt8(ascii: "\\") {
            appendEscapedCharacter(at: &i, in: text, to: &characters)
        } else {
            characters.append(text[i])
            i += 1
        }
    }
    return characters
}

/// Appends what the escape at `i` stands for, and steps over it.
private func appendEscapedCharacter(
    at i: inout Int, in text: Span<UInt8>, to characters: inout [UInt8]
) {
    func codeUnit(at i: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | (hexValue(text[i + $1]) ?? 0) }
    }
    let letter = text[i + 1]
    i += 2
    switch letter {
    case UInt8(ascii: "b"): characters.append(0x08)
    case UInt8(ascii: "f"): characters.append(0x0C)
    case UInt8(ascii: "n"): characters.append(0x0A)
    case UInt8(ascii: "r"): characters.append(0x0D)
    case UInt8(ascii: "t"): characters.append(0x09)
    case UInt8(ascii: "u"):
        var scalar = codeUnit(at: i)
        i += 4
        if 0xD800...0xDBFF ~= scalar, text[i] == UInt8(ascii: "\\"),
            text[i + 1] == UInt8(ascii: "u"), 0xDC00...0xDFFF ~= codeUnit(at: i + 2)
        {
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (codeUnit(at: i + 2) - 0xDC00)
            i += 6
        }
        append(codePoint: scalar, to: &characters)
    default: characters.append(letter)
    }
}

/// Whether the three bytes at `i` are a surrogate, which only WTF-8 has.
private func isSurrogate(at i: Int, in text: [UInt8]) -> Bool {
    text[i] == 0xED && i + 2 < text.count && text[i + 1] >= 0xA0
}

extension String {
    /// WTF-8 as a string, with U+FFFD for each unpaired surrogate.
    public init(replacingSurrogatesIn text: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var i = 0
        while i < text.count {
            if isSurrogate(at: i, in: text) {
                bytes.append(contentsOf: [0xEF, 0xBF, 0xBD])
                i += 3
            } else {
                bytes.append(text[i])
                i += 1
            }
        }
        self.init(decoding: bytes, as: UTF8.self)
    }
}
