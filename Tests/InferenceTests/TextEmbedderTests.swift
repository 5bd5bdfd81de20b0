import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct `The text embedder` {
    private func embedder(in folder: String, tokens: Int? = nil) throws -> TextEmbedder {
        try SmallEncoder.write(to: folder)
        return try loadEmbedder(folder: folder, threads: 1, tokens: tokens)
    }

    @Test func `gives each text a row of length 1, in the order of the texts`() throws {
        try withFolder { folder in
            let embedder = try embedder(in: folder)
            let texts = ["the sea", "river stone", "", "winter garden cat"]
            let (values, truncated) = try embedder.embed(texts)
            #expect(values.count == 4 * 384 && truncated.count == 0)
            for (number, text) in texts.enumerated() {
                let row = Array(values[number * 384..<(number + 1) * 384])
                #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-4)
                #expect(largestDifference(row, try embedder.embed([text]).values) <= 1e-6)
            }
        }
    }

    @Test func `cuts a text at its limit, and says how many were cut and which came first`() throws
    {
        try withFolder { folder in
            let embedder = try embedder(in: folder, tokens: 5)
            let (values, truncated) = try embedder.embed(
                ["the sea", "the sea the sea", "cat", "the sea the cat"])
            #expect(truncated.count == 2 && truncated.first == 1)
            let cut = try embedder.embed(["the sea the"]).values
            #expect(largestDifference(Array(values[384..<768]), cut) <= 1e-6)
            #expect(Array(values[768..<1152]) != Array(values[384..<768]))
        }
    }

    @Test func `takes no more tokens than the encoder has positions`() throws {
        try withFolder { folder in
            let whole = try embedder(in: folder)
            #expect(whole.tokenLimit == SmallEncoder.positions)
            let short = try embedder(in: folder, tokens: 7)
            #expect(short.tokenLimit == 7)
        }
    }

    @Test func `a vocabulary larger than the encoder's is refused with both numbers`() throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder)
            let count = SmallEncoder.vocabulary.count
            let file = try #require(FileHandle(forWritingAtPath: folder + "/vocab.txt"))
            try file.seekToEnd()
            try file.write(contentsOf: Data("onemore\n".utf8))
            let error = #expect(throws: ModelFault.self) {
                try loadEmbedder(folder: folder, threads: 1)
            }
            let text = try #require(error).description
            #expect(text.contains("\(count + 1) pieces") && text.contains("of \(count)"), "\(text)")
        }
    }

    @Test func `gives no vector once mapped weights were written over`() throws {
        try withFolder { folder in
            let embedder = try embedder(in: folder)
            _ = try embedder.embed(["the sea"])
            #expect(embedder.files?.areSpoilt == false)
            let file = try #require(FileHandle(forUpdatingAtPath: folder + "/model.safetensors"))
            try file.seek(toOffset: 100_000)
            try file.write(contentsOf: Data(repeating: 0, count: 8))
            try file.synchronize()
            #expect(throws: InferenceError.encoderChanged(retryAfter: 1)) {
                try embedder.embed(["the sea"])
            }
            // Whatever becomes of the file, what is mapped is no longer what was read.
            #expect(embedder.files?.areSpoilt == true)
        }
    }

    @Test func `goes on with weights whose file was replaced by another`() throws {
        try withFolder { folder in
            let embedder = try embedder(in: folder)
            let before = try embedder.embed(["the sea"]).values
            let path = folder + "/model.safetensors"
            try FileManager.default.removeItem(atPath: path)
            try SmallEncoder.write(to: folder, seed: 2)
            #expect(try embedder.embed(["the sea"]).values == before)
            let files = try #require(embedder.files)
            #expect(!files.isCurrent(files.look()))
            #expect(files.changes(in: files.look()).contains { $0.name == "model.safetensors" })
        }
    }

    @Test func `finds the lines that hold something`() throws {
        try withFolder { folder in
            let text = Array("the sea\n\n \t\ncat\r\n\u{200B}\nriver".utf8)
            let lines = try embedder(in: folder).lines(of: text)
            #expect(
                lines.map { String(decoding: text[$0], as: UTF8.self) }
                    == ["the sea", "cat", "river"])
        }
    }
}
