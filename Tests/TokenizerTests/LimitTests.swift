import Testing
import Tokenizer

@Suite struct `Token limit` {
    private func encode(_ text: String, limit: Int = 256) throws -> Encoding {
        try #require(Reference.tokenizer).encode(text, limit: limit)
    }

    @Test(arguments: [253, 254, 255, 256, 1000])
    func `cuts after 254 pieces, and says so only if something was cut`(pieces: Int) throws {
        let encoding = try encode(String(repeating: "the ", count: pieces))
        #expect(encoding.ids.count == min(pieces, 254) + 2)
        #expect(encoding.ids.first == 101)
        #expect(encoding.ids.last == 102)
        #expect(encoding.isTruncated == (pieces > 254))
    }

    @Test func `does not count what leaves no piece`() throws {
        let full = String(repeating: "the ", count: 254)
        for rest in [" \n\t\u{3000}", "\u{0}\u{FFFD}\u{200B}", "\u{301}\u{300}"] {
            #expect(try !encode(full + rest).isTruncated, "\(rest.unicodeScalars.map(\.value))")
        }
        for rest in ["!", "\u{E9}", "字", "[MASK]", String(repeating: "é", count: 500)] {
            #expect(try encode(full + rest).isTruncated, "\(rest)")
        }
    }

    @Test func `cuts inside a word, but not a word that is unknown`() throws {
        let full = String(repeating: "the ", count: 253)
        let cut = try encode(full + "embeddings")
        #expect(cut.ids.suffix(2) == [7861, 102])
        #expect(cut.isTruncated)
        // The first pieces of an unknown word fit, the last ones are in no vocabulary.
        let unknown = try encode(full + "embeddings\u{A9C0}")
        #expect(unknown.ids.suffix(2) == [100, 102])
        #expect(!unknown.isTruncated)
    }

    @Test func `leaves nothing but the ends at the smallest limit`() throws {
        #expect(try encode("", limit: 2) == Encoding(ids: [101, 102], isTruncated: false))
        #expect(try encode("a", limit: 2) == Encoding(ids: [101, 102], isTruncated: true))
    }

    /// Each text is one run of the scalars with these values.
    @Test(arguments: [
        [0x61], [0x301], [0x1D165], [0x5B57], [0x21], [0x5B], [0], [0xAC00],
        [0x61, 0x1D16D, 0x302E],
    ])
    func `reads a long hostile text`(values: [UInt32]) throws {
        let unit = String(String.UnicodeScalarView(values.compactMap(Unicode.Scalar.init)))
        let encoding = try encode(String(repeating: unit, count: 100_000))
        switch values {
        case [0x301], [0]: #expect(encoding.ids == [101, 102])
        case [0x5B57], [0x21], [0x5B]: #expect(encoding.ids.count == 256 && encoding.isTruncated)
        default: #expect(encoding.ids == [101, 100, 102] && !encoding.isTruncated)
        }
    }
}
