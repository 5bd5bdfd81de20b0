import Testing
import Tokenizer

@testable import Inference

private func corpus(_ text: String, limit: Int = 100) throws(InferenceError) -> Corpus {
    try Corpus(Array(text.utf8), limit: limit)
}

@Suite struct `Training text` {
    @Test func `blank lines are skipped and repeated ones kept once`() throws {
        let corpus = try corpus("a\r\n\n  \u{3000}\t\nb\na\n\r\n \u{2003}c \nb")
        #expect(corpus.lines == [0, 1, 0, 2, 1])
        #expect(corpus.distinctCount == 3)
    }

    @Test func `a line is read where it stands, without its end`() throws {
        let corpus = try corpus("one\r\ntwo é\n\nthree")
        var seen: [String] = []
        for number in 0..<corpus.distinctCount {
            _ = corpus.tokens(of: number) { line in
                seen.append(String(copying: line))
                return Encoding(ids: [], isTruncated: false)
            }
        }
        #expect(seen == ["one", "two é", "three"])
    }

    @Test func `lines that only look alike are distinct`() throws {
        // Canonically equal, which makes two strings of Swift's equal.
        #expect(try corpus("\u{E9}\ne\u{301}\n").distinctCount == 2)
    }

    @Test func `thousands of lines keep their order`() throws {
        let words = (0..<5000).map { "line \($0 % 1777)" }
        let corpus = try corpus(words.joined(separator: "\n"), limit: 5000)
        #expect(corpus.lines == (0..<5000).map { Int32($0 % 1777) })
    }

    @Test(arguments: ["", "\n", " \n\t\r\n\u{2028}"])
    func `a text without words is none`(text: String) {
        #expect(throws: InferenceError.noTrainingText) { try corpus(text) }
    }

    @Test func `more lines than the limit are counted to the end`() throws {
        #expect(throws: InferenceError.tooManyLines(given: 4, limit: 3)) {
            try corpus("a\nb\n\na\nd", limit: 3)
        }
        #expect(try corpus("a\nb\n\na", limit: 3).lines.count == 3)
    }
}
