extension JSONValue {
    /// Appends the value as `json.dumps(…, ensure_ascii=False, separators=(",", ":"))` prints it.
    ///
    /// JSON cannot hold a number that is not finite; it becomes `null`.
    public func write(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .bigInteger(let digits): output.append(contentsOf: digits.utf8)
        case .double(let value): appendJSON(value, to: &output)
        case .string(let value): appendJSON(value, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (i, element) in elements.enumerated() {
                if i > 0 { output.append(UInt8(ascii: ",")) }
                element.write(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (i, member) in object.members.enumerated() {
                if i > 0 { output.append(UInt8(ascii: ",")) }
                appendJSON(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}

/// Appends `text` in quotes, with only the escapes that JSON requires.
public func appendJSON(_ text: String, to output: inout [UInt8]) {
    var text = text
    output.append(UInt8(ascii: "\""))
    text.makeContiguousUTF8()
    let bytes = text.utf8.span
    for i in bytes.indices { appendEscaped(bytes[i], to: &output) }
    output.append(UInt8(ascii: "\""))
}

/// Appends one byte of a string's UTF-8, escaped if JSON requires it.
@inline(__always)
func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
    if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
        output.append(byte)
        return
    }
    output.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
    case 0x08: output.append(UInt8(ascii: "b"))
    case 0x09: output.append(UInt8(ascii: "t"))
    case 0x0A: output.append(UInt8(ascii: "n"))
    case 0x0C: output.append(UInt8(ascii: "f"))
    case 0x0D: output.append(UInt8(ascii: "r"))
    default:
        output.append(UInt8(ascii: "u"))
        output.append(UInt8(ascii: "0"))
        output.append(UInt8(ascii: "0"))
        output.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
        let digit = byte & 15
        output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}

/// Appends `value` as Python's `repr` spells a float; `null` if it is not finite.
public func appendJSON(_ value: Double, to output: inout [UInt8]) {
    guard value.isFinite else {
        output.append(contentsOf: "null".utf8)
        return
    }
    // Swift's digits are Python's: both give the fewest that read back as the same value. The
    // layout differs: Python uses an exponent below 1e-4 and from 1e16, with at least two digits.
    let parts = DecimalParts(value.magnitude)
    if value.sign == .minus { output.append(UInt8(ascii: "-")) }
    let digits = parts.digits
    let point = parts.exponent + digits.count
    if value == 0 {
        output.append(contentsOf: "0.0".utf8)
    } else if point > 16 || point < -3 {
        output.append(digits[0])
        if digits.count > 1 {
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[1...])
        }
        output.append(UInt8(ascii: "e"))
        output.append(UInt8(ascii: point > 0 ? "+" : "-"))
        let power = abs(point - 1)
        if power < 10 { output.append(UInt8(ascii: "0")) }
        output.append(contentsOf: String(power).utf8)
    } else if point <= 0 {
        output.append(contentsOf: "0.".utf8)
        output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
        output.append(contentsOf: digits)
    } else if point >= digits.count {
        output.append(contentsOf: digits)
        output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: point - digits.count))
        output.append(contentsOf: ".0".utf8)
    } else {
        output.append(contentsOf: digits[..<point])
        output.append(UInt8(ascii: "."))
        output.append(contentsOf: digits[point...])
    }
}

/// Shortest decimal digits of a finite magnitude: digits · 10^exponent.
private struct DecimalParts {
    var digits: [UInt8] = []
    var exponent = 0

    init(_ magnitude: Double) {
        var fraction = 0
        var afterPoint = false
        let text = Array(magnitude.description.utf8)
        var i = 0
        while i < text.count {
            switch text[i] {
            case UInt8(ascii: "."): afterPoint = true
            case UInt8(ascii: "e"):
                exponent = Int(String(decoding: text[(i + 1)...], as: UTF8.self)) ?? 0
                i = text.count
            default:
                digits.append(text[i])
                if afterPoint { fraction += 1 }
            }
            i += 1
        }
        exponent -= fraction
        while digits.count > 1, digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(min(zeros, digits.count - 1))
    }
}
