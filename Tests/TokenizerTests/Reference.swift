import Foundation
import TestSupport

@testable import Tokenizer

/// What Hugging Face `tokenizers` gives; see `Fixtures/generate_fixtures.py`.
enum Reference {
    static let tokenizer = try? WordPieceTokenizer(vocabulary: Array(data("vocab.txt")))

    /// Texts with all their ids.
    struct Texts: Decodable {
        let texts: [String]
        let ids: [[Int32]]
    }

    /// Texts with digests of their ids and of their words.
    struct RandomTexts: Decodable {
        let texts: [String]
        let counts: [Int]
        let truncated: [Bool]
        let ids: [String]
        let words: [String]
    }

    /// A block of scalars, each between "a" and "b".
    struct Block {
        let first: UInt32
        let ids: String
        let words: String
    }

    static func texts() throws -> Texts {
        try JSONDecoder().decode(Texts.self, from: data("texts.json"))
    }

    static func randomTexts() throws -> RandomTexts {
        try JSONDecoder().decode(RandomTexts.self, from: data("random.json"))
    }

    static func blocks() -> [Block] {
        String(decoding: data("scalars.txt"), as: UTF8.self).split(separator: "\n").compactMap {
            let fields = $0.split(separator: " ")
            guard !$0.hasPrefix("#"), let first = UInt32(fields[0], radix: 16) else { return nil }
            return Block(first: first, ids: String(fields[1]), words: String(fields[2]))
        }
    }

    static func data(_ name: String) -> Data { (try? fixtures.data(name)) ?? Data() }

    private static let fixtures = Fixtures(in: .module)
}

/// 64-bit FNV-1a, as the generator of the fixtures has it.
struct Digest {
    private var value: UInt64 = 0xCBF2_9CE4_8422_2325

    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    mutating func add(ids: [Int32]) {
        for id in ids {
            for shift in [0, 8, 16, 24] { add(UInt8(truncatingIfNeeded: id >> shift)) }
        }
    }

    mutating func add(wordsOf text: String, _ rules: TextRules = .uncased) {
        var words = Words(of: text.utf8Span.span, rules)
        while words.next() {
            let bytes = words.word.bytes
            if words.word.isTooLong {
                add(0xFD)
            } else {
                for index in bytes.indices { add(bytes[index]) }
            }
            add(0xFF)
        }
    }
}
