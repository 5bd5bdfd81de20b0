internal import ModelFiles
internal import System
internal import Tokenizer

/// A training text split into lines; blank ones are skipped, repeated ones are kept once.
///
/// A line is blank if the tokenizer finds nothing in it: it would train on a vector that says
/// nothing. The lines stay where they are in the text: beside it a corpus takes at most 36 bytes a
/// line.
struct Corpus {
    /// UTF-8.
    private let text: [UInt8]

    /// Where distinct lines stand in the text, in the order they first came.
    private let places: [Range<Int>]

    /// For every line that is not blank, the number of the distinct line it is.
    let lines: [Int32]

    /// SHA-256 of the text, in hexadecimal.
    let digest: String

    /// How many lines of UTF-8 `text` are not blank.
    ///
    /// - Throws: `noTrainingText` if none is, `tooManyLines` if more than `limit` are.
    static func lineCount(
        of text: [UInt8], limit: Int, isBlank: BlankRule
    ) throws(InferenceError) -> Int {
        var count = 0
        forEachLine(of: text, isBlank) { _ in count += 1 }
        guard count > 0 else { throw .noTrainingText }
        guard count <= limit else { throw .tooManyLines(given: count, limit: limit) }
        return count
    }

    /// Splits UTF-8 `text` into lines.
    ///
    /// - Throws: as `lineCount`.
    init(_ text: [UInt8], limit: Int, isBlank: BlankRule) throws(InferenceError) {
        let count = try Self.lineCount(of: text, limit: limit, isBlank: isBlank)
        digest = SHA256.hex(of: text)
        var places: [Range<Int>] = []
        var lines: [Int32] = []
        lines.reserveCapacity(count)
        // Open addressing over numbers of distinct lines. Swift's hasher is seeded, so lines cannot
        // be made to collide.
        let slots = 1 << (Int.bitWidth - (2 * count - 1).leadingZeroBitCount)
        var table = [Int32](repeating: -1, count: slots)
        Self.forEachLine(of: text, isBlank) { line in
            var hasher = Hasher()
            unsafe text[line].withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            var slot = hasher.finalize() & (slots - 1)
            while table[slot] >= 0, !text[places[Int(table[slot])]].elementsEqual(text[line]) {
                slot = (slot + 1) & (slots - 1)
            }
            if table[slot] < 0 {
                table[slot] = Int32(places.count)
                places.append(line)
            }
            lines.append(table[slot])
        }
        self.text = text
        self.places = places
        self.lines = lines
    }

    /// Bytes that a corpus of `lines` lines takes at most, the text left out.
    static func memory(lines: Int) -> Int { lines * bytesOfLine }

    /// A place, a number, and two slots of the table.
    private static let bytesOfLine =
        MemoryLayout<Range<Int>>.stride + MemoryLayout<Int32>.stride * (1 + 4)

    /// How many lines are distinct.
    var distinctCount: Int { places.count }

    /// Distinct line `number` in tokens, read where it stands.
    func encoding(of number: Int, _ tokenize: (borrowing UTF8Span) -> Encoding) -> Encoding {
        let line = text.span.extracting(places[number])
        // The text was checked when it came; what is no UTF-8 for all that has no words.
        guard let characters = try? UTF8Span(validating: line) else {
            return tokenize("".utf8Span)
        }
        return tokenize(characters)
    }

    /// Of the lines of the whole text, blank ones too, those that are one of `distinct`, which are
    /// in order.
    func lines(among distinct: [Int]) -> TruncatedTexts {
        guard let first = distinct.first else { return TruncatedTexts() }
        var isAmong = [Bool](repeating: false, count: distinctCount)
        for number in distinct { isAmong[number] = true }
        let start = places[first].lowerBound
        return TruncatedTexts(
            count: lines.count { isAmong[Int($0)] },
            first: TextLines.number(ofLineAt: start, in: text) - 1)
    }

    /// Whether a line holds nothing to train on.
    typealias BlankRule = (borrowing UTF8Span) -> Bool

    /// Calls `body` with the place of each line of UTF-8 `text` that is not blank.
    static func forEachLine(
        of text: [UInt8], _ isBlank: BlankRule, _ body: (Range<Int>) -> Void
    ) {
        for line in TextLines(of: text) where !Self.isBlank(text[line], isBlank) { body(line) }
    }

    private static func isBlank(_ line: ArraySlice<UInt8>, _ isBlank: BlankRule) -> Bool {
        // Most lines begin with a letter, which every tokenizer keeps.
        guard let first = line.first else { return true }
        if 0x21...0x7E ~= first { return false }
        // The text was checked when it came; what is no UTF-8 for all that has no words.
        guard let characters = try? UTF8Span(validating: line.span) else { return true }
        return isBlank(characters)
    }
}
