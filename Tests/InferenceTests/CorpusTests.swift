import Testing
import Tokenizer

@testable import Inference

private func corpus(_ text: String, limit: Int = 100) throws -> Corpus {
    let tokenizer = try WordPieceTokenizer(
        vocabulary: Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]".utf8))
    return try Corpus(Array(text.utf8), limit: limit, isBlank: tokenizer.isBlank)
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
            _ = corpus.encoding(of: number) { line in
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

    @Test(arguments: [
        "", "\n", " \n\t\r\n\u{2028}", "\u{FEFF}", "\u{FEFF}\r\n\u{FEFF}",
        "\u{200B}\u{2060}\n\u{AD}",
        "\0\u{1}\u{1B}\u{7F}", "\u{301}\u{5B0}", "\u{FFFD}\n\u{FE0F}", "\u{E000}",
        "\u{E0001}\u{E007F}",
    ])
    func `a text of which the tokenizer leaves nothing is none`(text: String) {
        #expect(throws: InferenceError.noTrainingText) { try corpus(text) }
    }

    @Test(arguments: [
        "\u{FEFF}a", "\u{200B}\u{4E00}", "\u{2764}", "\0.", "\u{20AC}", "\u{301}\u{903}",
    ])
    func `a line with a single token is one`(line: String) throws {
        #expect(try corpus("\u{FEFF}\n\(line)\n\u{200B}\n").lines == [0])
    }

    @Test func `more lines than the limit are counted to the end`() throws {
        #expect(throws: InferenceError.tooManyLines(given: 4, limit: 3)) {
            try corpus("a\nb\n\na\nd", limit: 3)
        }
        #expect(try corpus("a\nb\n\na", limit: 3).lines.count == 3)
    }

    @Test func `lines that were cut are counted as often as they come, by the editor's number`()
        throws
    {
        let corpus = try corpus("\u{FEFF}\r\na\rb\n\nb\nc\na\n")
        #expect(corpus.lines(among: []) == TruncatedTexts())
        let cut = corpus.lines(among: [1, 2])
        #expect(cut.count == 3)
        #expect(cut.first == 2)
    }
}
