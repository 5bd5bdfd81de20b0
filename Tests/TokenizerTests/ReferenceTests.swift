import Testing
import Tokenizer

/// The scalars of a text, so that a failure can be read and repeated.
private func scalars(_ text: String) -> String {
    text.unicodeScalars.map { String($0.value, radix: 16) }.joined(separator: " ")
}

@Suite struct `Tokenizer, against Hugging Face` {
    @Test func `gives the reference's ids for its texts`() throws {
        let tokenizer = try #require(Reference.tokenizer)
        let reference = try Reference.texts()
        #expect(reference.texts.count == 245)
        for (text, ids) in zip(reference.texts, reference.ids) {
            let found = tokenizer.encode(text).ids
            #expect(found == ids, "\(scalars(text)) as \(found.map(tokenizer.token))")
        }
    }

    /// Two halves, which may run side by side.
    @Test(arguments: [0, 1])
    func `reads every Unicode scalar between two letters alike`(half: Int) throws {
        let tokenizer = try #require(Reference.tokenizer)
        let blocks = Reference.blocks()
        #expect(blocks.count == (0x11_0000 - 0x800) / 256)
        for block in blocks where block.first >> 8 & 1 == half {
            var ids = Digest()
            var words = Digest()
            for value in block.first..<block.first + 256 {
                let scalar = try #require(Unicode.Scalar(value))
                let text = "a\(scalar)b"
                ids.add(ids: tokenizer.encode(text).ids)
                words.add(wordsOf: text)
            }
            let name = "the 256 scalars from \(String(block.first, radix: 16))"
            try #require(words.text == block.words, "words, \(name)")
            try #require(ids.text == block.ids, "ids, \(name)")
        }
    }

    @Test func `reads random texts of all scripts alike`() throws {
        let tokenizer = try #require(Reference.tokenizer)
        let reference = try Reference.randomTexts()
        #expect(reference.texts.count == 4400)
        #expect(reference.truncated.contains(true))
        for (index, text) in reference.texts.enumerated() {
            var words = Digest()
            words.add(wordsOf: text)
            #expect(words.text == reference.words[index], "words \(index): \(scalars(text))")
            let encoding = tokenizer.encode(text)
            var ids = Digest()
            ids.add(ids: encoding.ids)
            #expect(ids.text == reference.ids[index], "ids \(index): \(scalars(text))")
            #expect(encoding.ids.count == reference.counts[index], "\(index)")
            #expect(encoding.isTruncated == reference.truncated[index], "\(index)")
        }
    }
}
