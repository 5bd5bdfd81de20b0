/// Reads a text by JSON's grammar as CPython's `_json.c` does, so that every fault has the message
/// and the place that `json.loads` gives it.
struct JSONScanner: ~Escapable {
    /// WTF-8; any bytes if the caller accepts only ASCII.
    let text: Span<UInt8>

    /// The index of the next byte to be read.
    var position = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    /// A fault at byte `offset`; the error's place is in characters.
    func fault(
        _ message: String, at offset: Int, cause: JSONError.Cause = .syntax
    ) -> JSONError {
        JSONError(
            message: message, position: characters(in: text, before: offset), cause: cause)
    }

    /// Whether `byte` stands at `position`.
    func sees(_ byte: UInt8) -> Bool { position < text.count && text[position] == byte }

    mutating func skipSpace() {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                position &+= 1
            default: return
            }
        }
    }

    /// Steps from a string's opening quote behind its closing one.
    mutating func skipString() throws(JSONError) {
        let begin = position
        position += 1
        while position < text.count {
            let byte = text[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return
            }
            if byte == UInt8(ascii: "\\") {
                try skipEscape(in: begin)
            } else if byte < 0x20 {
                throw fault("Invalid control character at", at: position)
            } else {
                position &+= 1
            }
        }
        throw fault("Unterminated string starting at", at: begin)
    }

    private mutating func skipEscape(in begin: Int) throws(JSONError) {
        let escape = position
        guard escape + 1 < text.count else {
            throw fault("Unterminated string starting at", at: begin)
        }
        switch text[escape + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position = escape + 2
        case UInt8(ascii: "u"):
            // Python requires a character behind the four digits before it looks at them.
            guard escape + 6 < text.count,
                (2..<6).allSatisfy({ hexValue(text[escape + $0]) != nil })
            else { throw fault("Invalid \\uXXXX escape", at: escape + 1) }
            position = escape + 6
        default: throw fault("Invalid \\escape", at: escape)
        }
    }

    /// Steps behind a value that is neither string, array nor object.
    mutating func skipScalar() throws(JSONError) {
        guard position < text.count else { throw fault("Expecting value", at: position) }
        switch text[position] {
        case UInt8(ascii: "n") where skip("null"): return
        case UInt8(ascii: "t") where skip("true"): return
        case UInt8(ascii: "f") where skip("false"): return
        case UInt8(ascii: "N") where skip("NaN"): return
        case UInt8(ascii: "I") where skip("Infinity"): return
        case UInt8(ascii: "-") where skip("-Infinity"): return
        default: try skipNumber()
        }
    }

    /// The most digits of a decimal integer that Python converts (`sys.set_int_max_str_digits`).
    static let integerDigits = 4300

    private mutating func skipNumber() throws(JSONError) {
        let start = position
        if sees(UInt8(ascii: "-")) { position += 1 }
        let firstDigit = position
        if sees(UInt8(ascii: "0")) { position += 1 } else { skipDigits() }
        guard position > firstDigit else { throw fault("Expecting value", at: start) }
        let digits = position - firstDigit
        var isInteger = true
        if sees(UInt8(ascii: ".")), position + 1 < text.count, isDigit(text[position + 1]) {
            isInteger = false
            position += 1
            skipDigits()
        }
        if sees(UInt8(ascii: "e")) || sees(UInt8(ascii: "E")) {
            let mark = position
            position += 1
            if sees(UInt8(ascii: "-")) || sees(UInt8(ascii: "+")) { position += 1 }
            let power = position
            skipDigits()
            // An "e" without digits does not belong to the number; it is then the fault.
            if position == power { position = mark } else { isInteger = false }
        }
        guard !isInteger || digits <= Self.integerDigits else {
            throw fault("Exceeds the limit for integer digits", at: start, cause: .digits)
        }
    }

    private mutating func skipDigits() {
        while position < text.count, isDigit(text[position]) { position &+= 1 }
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard position + length <= text.count else { return false }
        for i in 0..<length where unsafe word.utf8Start[i] != text[position + i] { return false }
        position += length
        return true
    }
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

/// The value of a hexadecimal digit.
func hexValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
