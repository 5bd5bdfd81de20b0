internal import ModelFiles

/// A training text split into lines; blank ones are skipped, repeated ones are kept once.
struct Corpus {
    /// Distinct lines in the order they first came.
    let distinct: [Substring]

    /// For every line that is not blank, its place in `distinct`.
    let lines: [Int32]

    /// SHA-256 of the text, in hexadecimal.
    let digest: String

    /// Splits UTF-8 `text` at line feeds; a carriage return before one belongs to the line's end.
    init(_ text: [UInt8], limit: Int) throws(InferenceError) {
        var hash = SHA256()
        hash.update(text.span)
        digest = hash.finish().map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
        var distinct: [Substring] = []
        var lines: [Int32] = []
        var places: [Substring: Int32] = [:]
        let whole = String(decoding: text, as: UTF8.self)
        for line in whole.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
            guard line.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
                continue
            }
            if let place = places[line] {
                lines.append(place)
            } else {
                let place = Int32(distinct.count)
                places[line] = place
                distinct.append(line)
                lines.append(place)
            }
        }
        guard !lines.isEmpty else { throw .noTrainingText }
        guard lines.count <= limit else {
            throw .tooManyLines(given: lines.count, limit: limit)
        }
        self.distinct = distinct
        self.lines = lines
    }
}
