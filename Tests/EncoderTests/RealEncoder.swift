import Encoder
import Foundation
import Kernels
import Testing
import Threads

/// The published model, from the folder that `ENCODER_PATH` names; without it these tests fail.
enum RealEncoder {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static let encoder = Result { try load() }

    private static func load() throws -> SentenceEncoder {
        let hint = "run nginx/fetch-encoder and set ENCODER_PATH to the folder it prints"
        guard let path = ProcessInfo.processInfo.environment["ENCODER_PATH"] else {
            throw Missing(description: "ENCODER_PATH is not set: \(hint)")
        }
        let folder = URL(filePath: path, directoryHint: .isDirectory)
        let weights = folder.appending(path: "model.safetensors")
        guard FileManager.default.fileExists(atPath: weights.path) else {
            throw Missing(description: "\(weights.path) does not exist: \(hint)")
        }
        let checkpoint = try Safetensors(weights)
        let json = try Data(contentsOf: folder.appending(path: "config.json"))
        return try SentenceEncoder(configuration: EncoderConfiguration(parsing: Array(json))) {
            (name, shape) throws(EncoderError) in try checkpoint.tensor(name, shape)
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
            File.self, from: Data(contentsOf: fixture("texts.json")))
        texts = file.texts
        ids = file.ids
        embeddings = try #require(
            Safetensors(fixture("embeddings.safetensors")).floats("embeddings"))
    }
}

extension SentenceEncoder {
    /// Embeddings of `sequences` in one batch, [sequences, hidden].
    func embed(
        _ sequences: some Sequence<[Int32]>, team: ComputeTeam? = nil
    ) -> [Float] {
        var batch = PackedBatch()
        for ids in sequences { batch.append(ids) }
        var workspace = makeWorkspace(tokens: max(batch.tokens, 1))
        var result = [Float](repeating: .nan, count: batch.sequences * configuration.hidden)
        var span = result.mutableSpan
        encode(batch, workspace: &workspace, team: team, into: &span)
        return result
    }
}
