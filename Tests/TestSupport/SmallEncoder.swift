internal import Foundation

/// The folder of an encoder of one layer with seeded random weights: all that is said of the
/// published one but its vectors, in a hundredth of the time.
public struct SmallEncoder {
    /// Word pieces, numbered by their lines in vocab.txt.
    public static let vocabulary =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + letters.map { "##" + $0 }
        + ["the", "sea", "river", "stone", "winter", "garden", "cat"]

    /// The longest sequence that it takes.
    public static let positions = 64

    /// Features of an embedding, as the denoiser has them.
    public static let hidden = 384

    private static let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)

    /// The fields of config.json, each with its value's text.
    public static let configuration = [
        "model_type": #""bert""#, "hidden_act": #""gelu""#, "hidden_size": "\(hidden)",
        "num_hidden_layers": "1", "num_attention_heads": "12", "intermediate_size": "48",
        "vocab_size": "\(vocabulary.count)", "max_position_embeddings": "\(positions)",
        "type_vocab_size": "2", "layer_norm_eps": "1e-12",
        "position_embedding_type": #""absolute""#, "pad_token_id": "0",
        "architectures": #"["BertModel"]"#,
    ]

    /// Writes the three files into `folder`, which is made if it is missing.
    ///
    /// - Parameters:
    ///   - seed: what the weights follow from.
    ///   - inner: the features inside the feed-forward part; those of a multiple of 6 can be
    ///     packed.
    ///   - changes: fields of config.json with other values, as JSON.
    public static func write(
        to folder: String, seed: UInt64 = 1, inner: Int = 48,
        changing changes: [String: String] = [:]
    ) throws {
        let url = URL(filePath: folder, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let own = ["intermediate_size": "\(inner)"].merging(changes) { $1 }
        let fields = configuration.merging(own) { $1 }.sorted { $0.key < $1.key }
        let json = fields.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ")
        try Data("{\(json)}".utf8).write(to: url.appending(path: "config.json"))
        try Data(vocabulary.map { $0 + "\n" }.joined().utf8)
            .write(to: url.appending(path: "vocab.txt"))
        try weights(seed, inner).write(to: url.appending(path: "model.safetensors"))
    }

    /// The names and shapes of its tensors.
    private static func shapes(_ inner: Int) -> [(name: String, shape: [Int])] {
        let layer = "encoder.layer.0"
        var shapes: [(name: String, shape: [Int])] = [
            ("embeddings.word_embeddings.weight", [vocabulary.count, hidden]),
            ("embeddings.position_embeddings.weight", [positions, hidden]),
            ("embeddings.token_type_embeddings.weight", [2, hidden]),
        ]
        for name in ["embeddings", "\(layer).attention.output", "\(layer).output"] {
            shapes.append(("\(name).LayerNorm.weight", [hidden]))
            shapes.append(("\(name).LayerNorm.bias", [hidden]))
        }
        let maps = [
            ("attention.self.query", hidden, hidden), ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden), ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", inner, hidden), ("output.dense", hidden, inner),
        ]
        for (name, rows, columns) in maps {
            shapes.append(("\(layer).\(name).weight", [rows, columns]))
            shapes.append(("\(layer).\(name).bias", [rows]))
        }
        return shapes
    }

    /// The bytes of model.safetensors, laid out without the code under test.
    private static func weights(_ seed: UInt64, _ inner: Int) -> Data {
        var random = SplitMix(state: seed)
        // A prime number of them, over and over: no two rows of a weight are the same.
        let numbers = (0..<8191).map { _ in random.float() - 0.5 }
        let places = (0..<8191).map { numbers[$0] * 0.2 }
        var members: [String] = []
        var content = Data()
        for (number, (name, shape)) in shapes(inner).enumerated() {
            let isNorm = name.hasSuffix("LayerNorm.weight")
            let table = isNorm ? numbers.map { 1 + $0 } : shape.count == 2 ? numbers : places
            let bytes = Self.bytes(table, from: number * 271, count: shape.reduce(1, *))
            let (start, end) = (content.count, content.count + bytes.count)
            members.append(
                #""\#(name)": {"dtype": "F32", "shape": \#(shape), "data_offsets": [\#(start), \#(end)]}"#
            )
            content += bytes
        }
        var header = Data("{\(members.joined(separator: ", "))}".utf8)
        header += Data(repeating: 0x20, count: (8 - header.count % 8) % 8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return Data(length) + header + content
    }

    /// `count` numbers of `table`, over and over from `start` on, as they lie in memory.
    private static func bytes(_ table: [Float], from start: Int, count: Int) -> Data {
        let start = start % table.count
        var values = Array(table[start...])
        while values.count < count { values += table }
        values.removeSubrange(count...)
        return unsafe values.withUnsafeBytes { unsafe Data($0) }
    }
}
