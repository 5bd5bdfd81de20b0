internal import JSON
internal import Kernels

/// The sizes of a BERT encoder, from its config.json.
public struct EncoderConfiguration: Sendable, Equatable {
    /// Elements of a token's vector (`hidden_size`).
    public var hidden: Int

    /// Transformer layers (`num_hidden_layers`).
    public var layers: Int

    /// Attention heads (`num_attention_heads`), each of 32 elements.
    public var heads: Int

    /// Elements between the two products of a feed-forward block (`intermediate_size`).
    public var inner: Int

    /// Rows of the word table (`vocab_size`).
    public var vocabulary: Int

    /// The longest sequence (`max_position_embeddings`).
    public var positions: Int

    /// Layer norm's ε (`layer_norm_eps`).
    public var epsilon: Float

    /// The configuration in `json`, refused where it describes a model this code does not compute.
    public init(parsing json: [UInt8]) throws(EncoderError) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: json)
        } catch {
            throw .configurationNotJSON("\(error)")
        }
        guard case .object(let fields) = value else {
            throw .configurationNotJSON("an object was expected")
        }
        for (field, expected) in [
            ("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute"),
        ] {
            guard fields[field] == .string(expected) else {
                let found = fields[field].map { "\($0)" } ?? "missing"
                throw .configuration(field: field, found: found, expected: "\"\(expected)\"")
            }
        }
        func size(_ field: String) throws(EncoderError) -> Int {
            guard case .integer(let size) = fields[field], 1...1_000_000 ~= size else {
                let found = fields[field].map { "\($0)" } ?? "missing"
                throw .configuration(field: field, found: found, expected: "a positive integer")
            }
            return size
        }
        hidden = try size("hidden_size")
        layers = try size("num_hidden_layers")
        heads = try size("num_attention_heads")
        inner = try size("intermediate_size")
        vocabulary = try size("vocab_size")
        positions = try size("max_position_embeddings")
        guard case .double(let epsilon) = fields["layer_norm_eps"], epsilon > 0 else {
            throw .configuration(
                field: "layer_norm_eps",
                found: fields["layer_norm_eps"].map { "\($0)" } ?? "missing",
                expected: "a positive number")
        }
        self.epsilon = Float(epsilon)
        guard hidden == heads * attentionHeadWidth else {
            throw .configuration(
                field: "num_attention_heads", found: "\(heads)",
                expected: "hidden_size / \(attentionHeadWidth)")
        }
    }
}
