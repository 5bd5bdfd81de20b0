import Foundation
import Testing

@testable import Tokenizer

/// See `Fixtures/generate_rules.py`.
@Suite struct `Other rules than uncased, against Hugging Face` {
    @Test(arguments: [
        ("kept", TextRules(letters: .kept)),
        ("keptWithoutSpaces", TextRules(letters: .kept, spacesIdeographs: false)),
        ("lowered", TextRules(letters: .lowered)),
        ("loweredWithoutSpaces", TextRules(letters: .lowered, spacesIdeographs: false)),
        ("loweredWithoutAccentsOrSpaces", TextRules(spacesIdeographs: false)),
    ])
    func `read Unicode scalars between two letters alike`(
        name: String, rules: TextRules
    ) throws {
        let file = try JSONSerialization.jsonObject(with: Reference.data("rules.json"))
        let expected = try #require((file as? [String: Any])?[name] as? [String])
        let blocks = Array(stride(from: UInt32(0), to: 0x3_2000, by: 4096)) + [0xE_0000]
        #expect(expected.count == blocks.count)
        for (first, digest) in zip(blocks, expected) {
            var words = Digest()
            for value in first..<first + 4096 {
                guard let scalar = Unicode.Scalar(value) else { continue }
                words.add(wordsOf: "A\(scalar)b", rules)
            }
            #expect(words.text == digest, "\(name), from \(String(first, radix: 16))")
        }
    }
}
