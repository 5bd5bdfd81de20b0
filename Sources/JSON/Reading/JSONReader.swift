/// Reads a text of known shape directly into floats and strings, without a tree.
///
/// Each step gives nil or false if the text is not as expected, or not JSON at all. The caller then
/// builds a `JSONTree`, which finds out what is wrong. The tree accepts everything that a step
/// accepts, with the same value.
public struct JSONReader: ~Escapable {
    private var scanner: JSONScanner

    /// At the beginning of `text`, which outlives the reader.
    @_lifetime(borrow text)
    public init(_ text: borrowing JSONText) { scanner = JSONScanner(text.bytes.span) }

    /// The index of the next byte to be read.
    public var position: Int {
        get { scanner.position }
        set {
            precondition(
                0...scanner.text.count ~= newValue, "byte \(newValue) of \(scanner.text.count)")
            scanner.position = newValue
        }
    }

    /// Skips white space.
    public mutating func skipSpace() { scanner.skipSpace() }

    /// Skips white space and then `byte`, if it comes next.
    public mutating func skip(_ byte: UInt8) -> Bool {
        scanner.skipSpace()
        guard scanner.sees(byte) else { return false }
        scanner.position += 1
        return true
    }

    /// Whether only white space follows.
    public mutating func isAtEnd() -> Bool {
        scanner.skipSpace()
        return scanner.position == scanner.text.count
    }

    /// A string, with U+FFFD for an unpaired surrogate.
    public mutating func string() -> String? {
        scanner.skipSpace()
        let quote = scanner.position
        guard scanner.sees(UInt8(ascii: "\"")), (try? scanner.skipString()) != nil else {
            return nil
        }
        let inside = scanner.text.extracting((quote + 1)..<(scanner.position - 1))
        for i in inside.indices where inside[i] == UInt8(ascii: "\\") {
            return String(
                replacingSurrogatesIn: unescape(stringAt: quote, in: scanner.text))
        }
        guard let characters = try? UTF8Span(validating: inside) else {
            return String(replacingSurrogatesIn: unescape(stringAt: quote, in: scanner.text))
        }
        return String(copying: characters)
    }

    /// A number whose text and value are finite.
    public mutating func double() -> Double? {
        scanner.skipSpace()
        let start = scanner.position
        guard start < scanner.text.count, scanner.text[start] != UInt8(ascii: "\""),
            (try? scanner.skipScalar()) != nil
        else { return nil }
        let value = Double(jsonNumber: scanner.text.extracting(start..<scanner.position))
        return value.isFinite ? value : nil
    }

    /// Appends an array of exactly `count` numbers, all finite in single precision.
    public mutating func appendArray(of count: Int, to floats: inout [Float]) -> Bool {
        guard skip(UInt8(ascii: "[")) else { return false }
        var isRead = false
        floats.append(addingCapacity: count) { isRead = scanner.readFloats(count, into: &$0) }
        return isRead && skip(UInt8(ascii: "]"))
    }
}
