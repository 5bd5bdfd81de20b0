import Testing
import Tokenizer

@Suite struct `Vocabulary file` {
    private static let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

    private func tokenizer(_ text: String) throws(TokenizerError) -> WordPieceTokenizer {
        try WordPieceTokenizer(vocabulary: Array(text.utf8))
    }

    @Test(arguments: ["\n", "\r\n"])
    func `may end lines either way, and the last line not at all`(end: String) throws {
        let lines = Self.special + "a\n##b\né"
        let text = lines.replacing("\n", with: end)
        for text in [text, text + end] {
            let tokenizer = try tokenizer(text)
            #expect(tokenizer.count == 8)
            #expect(tokenizer.token(7) == "é")
            #expect(tokenizer.encode("abb a").ids == [2, 5, 6, 6, 5, 3])
        }
    }

    @Test(arguments: [
        ("", TokenizerError.missingToken("[PAD]")),
        ("[PAD]\n[UNK]\n[CLS]\n[MASK]\n", .missingToken("[SEP]")),
        ("[pad]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", .missingToken("[PAD]")),
        (special + "a\n\nb\n", .emptyLine(7)),
        (special + "\r\n", .emptyLine(6)),
        ("\n" + special, .emptyLine(1)),
        (special + "a\nb\na\n", .repeatedToken(line: 8, earlier: 6)),
        (special + "[CLS]", .repeatedToken(line: 6, earlier: 3)),
    ])
    func `with a fault is refused, and the line named`(text: String, error: TokenizerError) {
        #expect(throws: error) { try tokenizer(text) }
    }

    @Test(arguments: [
        [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
    ])
    func `that is not UTF-8 is refused`(bytes: [UInt8]) {
        let file = Array((Self.special + "a\n").utf8) + bytes + Array("\nb".utf8)
        #expect(throws: TokenizerError.notUTF8(line: 7)) {
            try WordPieceTokenizer(vocabulary: file)
        }
    }

    @Test func `of too many lines is refused`() {
        let file = Array(repeating: UInt8(ascii: "\n"), count: 1 << 20)
        #expect(throws: TokenizerError.tooManyTokens(limit: 1 << 20 - 1)) {
            try WordPieceTokenizer(vocabulary: file)
        }
    }

    @Test func `keeps canonically equal tokens apart`() throws {
        // U+212B decomposes to U+00C5, and both to A with a ring: equal as strings, not as tokens.
        let tokenizer = try tokenizer(Self.special + "\u{212B}\n\u{C5}\nA\u{30A}\n")
        #expect(tokenizer.count == 8)
        #expect(tokenizer.token(5).unicodeScalars.map(\.value) == [0x212B])
    }

    @Test func `may hold tokens longer than any word, or of other scripts only`() throws {
        let long = String(repeating: "x", count: 5000)
        let tokenizer = try tokenizer(Self.special + "\(long)\n##\(long)\nxx\n##x\n字\n")
        #expect(tokenizer.encode("xxxx 字x").ids == [2, 7, 8, 8, 9, 1, 3])
        #expect(tokenizer.encode(long).ids == [2, 1, 3])
        #expect(tokenizer.count == 10)
    }

    @Test func `gives a token back for each id`() throws {
        let tokenizer = try #require(Reference.tokenizer)
        #expect(tokenizer.count == 30522)
        #expect(tokenizer.token(0) == "[PAD]")
        #expect(tokenizer.token(30521) == "##～")
        let pieces = tokenizer.encode("embeddings").ids.map(tokenizer.token)
        #expect(pieces == ["[CLS]", "em", "##bed", "##ding", "##s", "[SEP]"])
    }
}
