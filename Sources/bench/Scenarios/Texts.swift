internal import System
import ArgumentParser
import Inference
import Tokenizer

extension Scenario {
    /// The whole way from text to vector, and its parts.
    static let texts = Scenario(
        name: "texts",
        abstract: "a file of texts through tokeniser and encoder, all cores (tokens/s)"
    ) { settings, stopwatch in
        let bytes = try readWholeFile(settings.texts)
        let texts = bytes.split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self)
        }
        let embedder = try TextEmbedder(
            tokenizer: try loadTokenizer(folder: settings.encoder),
            encoder: try settings.loadedEncoder(), threads: availableCores())
        let tokens = texts.reduce(0) { $0 + embedder.tokenize($1).ids.count }
        let tokenizing = stopwatch.seconds { for text in texts { _ = embedder.tokenize(text) } }
        let embedding = try stopwatch.seconds { _ = try embedder.embed(texts) }
        return [
            Figure("tokens", "tokens", [Double(tokens)]),
            Figure("tokenize", "tokens/s", of: Double(tokens), in: tokenizing),
            Figure("embed", "tokens/s", of: Double(tokens), in: embedding),
        ]
    }
}
