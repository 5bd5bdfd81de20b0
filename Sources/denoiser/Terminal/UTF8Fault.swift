import Glibc
import Inference
import System

/// The first byte of a text that is not UTF-8.
struct UTF8Fault: CustomStringConvertible {
    /// Its line, from 1; lines end as in `TextLines`.
    let line: Int

    /// Its place in the line, from 1.
    let byte: Int

    /// Its place in the bytes that were looked at, from 0.
    let offset: Int

    private let value: UInt8
    private let looksLikeUTF16: Bool

    /// Finds the first such byte; nil if all of `text` is UTF-8.
    init?(in text: [UInt8]) {
        do {
            _ = try UTF8Span(validating: text.span)
            return nil
        } catch {
            offset = error.byteOffsets.lowerBound
        }
        line = TextLines.number(ofLineAt: offset, in: text)
        let lastEnd = text[..<offset].lastIndex {
            $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
        }
        byte = offset - (lastEnd ?? -1)
        value = text[offset]
        looksLikeUTF16 = beginsLikeUTF16(text)
    }

    /// Finds the first such byte of line `number` of a text; nil if all of the line is UTF-8.
    ///
    /// - Parameter beginning: the first bytes of the text.
    init?(inLine bytes: [UInt8], number: Int, of beginning: [UInt8]) {
        guard let fault = UTF8Fault(in: bytes) else { return nil }
        (offset, value, byte) = (fault.offset, fault.value, fault.offset + 1)
        line = number
        looksLikeUTF16 = beginsLikeUTF16(beginning)
    }

    /// The fault as a message continues behind the text's name and a comma.
    var description: String {
        "line \(line), byte \(byte): \(hex(value)) is not UTF-8; "
            + (looksLikeUTF16
                ? "this looks like UTF-16: save it as UTF-8" : "save the text as UTF-8")
    }

    /// The same for a text that has no lines.
    var withoutLine: String { "byte \(offset + 1): \(hex(value)) is not UTF-8" }
}

private func beginsLikeUTF16(_ text: [UInt8]) -> Bool {
    text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF])
}

/// `0xE9`.
private func hex(_ byte: UInt8) -> String { "0x" + hexDigits(byte) }

/// Two digits.
private func hexDigits(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
}

/// `bytes` in quotes for any terminal: other bytes than printable ASCII as `\xE9`, cut at 80 bytes.
func quoted(_ bytes: [UInt8]) -> String {
    let text = bytes.prefix(80).map { byte in
        0x20...0x7E ~= byte ? String(UnicodeScalar(byte)) : "\\x" + hexDigits(byte)
    }.joined()
    return "\"\(text)\(bytes.count > 80 ? "..." : "")\""
}

/// Refuses arguments that are not UTF-8, which strings would alter silently.
func checkArguments() throws(CommandFailure) {
    for index in 1..<max(1, Int(CommandLine.argc)) {
        guard let argument = unsafe CommandLine.unsafeArgv[index] else { return }
        let bytes = unsafe bytes(of: argument)
        if let fault = UTF8Fault(in: bytes) {
            throw .usage("argument \(index), \(fault.withoutLine): \(quoted(bytes))")
        }
    }
}

/// Why the value of an environment variable is not UTF-8; nil if it is.
func faultOfEnvironment(_ name: String) -> String? {
    guard let bytes = environmentBytes(name) else { return nil }
    return UTF8Fault(in: bytes).map {
        "the environment's \(name), \($0.withoutLine): \(quoted(bytes))"
    }
}

/// The bytes of a C string.
private func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
}
