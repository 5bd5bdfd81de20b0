import Encoder
import Foundation
import Kernels
import Testing
import System
import TestSupport

/// The published model, from the folder that `ENCODER_PATH` names; without it these tests fail.
enum RealEncoder {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// How the weights of linear maps lie.
    enum Weights: CaseIterable {
        case plain, packed
    }

    static func encoder(_ weights: Weights) throws -> SentenceEncoder {
        try (weights == .plain ? plain : packed).get()
    }

    private static let plain = Result { try load(.plain) }
    private static let packed = Result { try load(.packed) }

    private static func load(_ weights: Weights) throws -> SentenceEncoder {
        let hint = "run nginx/fetch-encoder and set ENCODER_PATH to the folder it prints"
        guard let path = ProcessInfo.processInfo.environment["ENCODER_PATH"] else {
            throw Missing(description: "ENCODER_PATH is not set: \(hint)")
        }
        let folder = URL(filePath: path, directoryHint: .isDirectory)
        let file = folder.appending(path: "model.safetensors")
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw Missing(description: "\(file.path) does not exist: \(hint)")
        }
        let checkpoint = try Safetensors(file)
        let json = try Data(contentsOf: folder.appending(path: "config.json"))
        return try SentenceEncoder(
            configuration: EncoderConfiguration(parsing: Array(json)),
            layout: weights == .packed ? .packed : .plain
        ) { (name, shape) throws(EncoderError) in
            guard let plain = PackedWeight.plainShape(of: shape) else {
                return try checkpoint.tensor(name, shape)
            }
            return PackedWeight.pack(try checkpoint.tensor(name, plain))
        }
    }
}

/// The reference's 245 texts as ids, and what sentence-transformers makes of them.
struct ReferenceTexts {
    let texts: [String]
    let ids: [[Int32]]
    /// [texts, 384].
    let embeddings: [Float]

    init() throws {
        struct File: Decodable {
            let texts: [String]
            let ids: [[Int32]]
        }
        let file = try JSONDecoder().decode(
            File.self, from: Data(contentsOf: fixtures.url("texts.json")))
        texts = file.texts
        ids = file.ids
        embeddings = try #require(
            Safetensors(fixtures.url("embeddings.safetensors")).floats("embeddings"))
    }
}

extension SentenceEncoder {
    /// Embeddings of `sequences` in one batch, [sequences, hidden].
    func embed(
        _ sequences: some Sequence<[Int32]>, workers: WorkerPair? = nil
    ) -> [Float] {
        var batch = PackedBatch()
        for ids in sequences { batch.append(ids) }
        var workspace = makeWorkspace(tokens: max(batch.tokens, 1))
        var result = [Float](repeating: .nan, count: batch.sequences * configuration.hidden)
        var span = result.mutableSpan
        encode(batch, workspace: &workspace, workers: workers, into: &span)
        return result
    }
}
