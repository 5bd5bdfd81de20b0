/// A header of the kind `value; key=text; key="text"`, read as python-multipart reads it.
struct FormOptionsHeader {
    /// The part before the first semicolon in lower case: "multipart/form-data".
    let value: String

    /// Parameters by lower-case key; the last of equal keys counts.
    ///
    /// RFC 2231's extended keys (`filename*`) are dropped: RFC 7578 forbids them in forms.
    let parameters: [String: [UInt8]]

    init(parsing text: [UInt8]) {
        let segments = Self.segments(of: text)
        value = Self.string(Self.lowercased(segments.first ?? []))
        var parameters: [String: [UInt8]] = [:]
        // A header without a semicolon has no parameters, and an empty one no segments.
        for segment in segments.dropFirst() {
            let equals = segment.firstIndex(of: equalsSign) ?? segment.endIndex
            let key = Self.string(segment[..<equals])
            if key.utf8.contains(UInt8(ascii: "*")) { continue }
            var text = Array(segment[equals...].dropFirst())
            if text.count >= 2, text.first == quote, text.last == quote {
                text = Array(text[1..<(text.count - 1)])
                text = Self.replacing(backslash, backslash, by: backslash, in: text)
                text = Self.replacing(backslash, quote, by: quote, in: text)
            }
            if key == "filename" { text = Self.lastPathPart(text) }
            parameters[key] = text
        }
        self.parameters = parameters
    }

    /// The pieces between semicolons outside of quotes, trimmed, with keys in lower case.
    private static func segments(of text: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var start = 0
        while start <= text.count {
            let end = segmentEnd(in: text, from: start)
            let piece = text[start..<end]
            if let equals = piece.firstIndex(of: equalsSign) {
                let key = lowercased(trimmedAtEnd(piece[..<equals]))
                pieces.append(trimmed((key + [equalsSign] + trimmed(piece[(equals + 1)...]))[...]))
            } else {
                pieces.append(trimmed(piece))
            }
            start = end + 1
        }
        return pieces
    }

    /// The first semicolon from `start` behind an even number of unescaped quotes, or the end.
    ///
    /// Python's `email.message._parseparam` counts quotes piece by piece. So a backslash escapes a
    /// quote only if no semicolon divides the two.
    private static func segmentEnd(in text: [UInt8], from start: Int) -> Int {
        var quotesAreEven = true
        var previous: UInt8 = 0
        for index in start..<text.count {
            let byte = text[index]
            if byte == quote, previous != backslash { quotesAreEven.toggle() }
            if byte == semicolon, quotesAreEven { return index }
            previous = byte
        }
        return text.count
    }

    /// The part behind the last backslash if `name` is a whole Windows path, as old browsers send.
    private static func lastPathPart(_ name: [UInt8]) -> [UInt8] {
        let isPath =
            (name.count >= 3 && name[1] == UInt8(ascii: ":") && name[2] == backslash)
            || name.starts(with: [backslash, backslash])
        guard isPath, let last = name.lastIndex(of: backslash) else { return name }
        return Array(name[(last + 1)...])
    }

    private static func replacing(
        _ first: UInt8, _ second: UInt8, by replacement: UInt8, in text: [UInt8]
    ) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if index + 1 < text.count, text[index] == first, text[index + 1] == second {
                result.append(replacement)
                index += 2
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        Array(trimmedAtEnd(text).drop(while: isBlank))
    }

    private static func trimmedAtEnd(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        text[..<((text.lastIndex { !isBlank($0) } ?? text.startIndex - 1) + 1)]
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func lowercased(_ text: some Sequence<UInt8>) -> [UInt8] {
        text.map(\.lowercased)
    }

    /// Keys are compared with ASCII names only, so the decoding of other bytes does not matter.
    private static func string(_ text: some Collection<UInt8>) -> String {
        String(decoding: text, as: UTF8.self)
    }
}

private let semicolon = UInt8(ascii: ";")
private let equalsSign = UInt8(ascii: "=")
private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
