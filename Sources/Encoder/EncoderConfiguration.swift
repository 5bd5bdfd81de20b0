internal import JSON
internal import Kernels

/// The sizes of a BERT encoder, from its `config.json`, and how its last layer's rows are pooled.
public struct EncoderConfiguration: Sendable, Equatable {
    /// Features of a token, and of the embedding: 384.
    public let hidden: Int
    /// Transformer layers: 6.
    public let layers: Int
    /// Attention heads of 32 features each: 12.
    public let heads: Int
    /// Features inside a layer's feed-forward part: 1,536.
    public let inner: Int
    /// Word pieces, numbered from 0: 30,522.
    public let vocabulary: Int
    /// The longest sequence, in word pieces: 512.
    public let positions: Int
    /// Rows of the token type table, of which only the first is used: 2.
    public let types: Int
    /// Added to the variance in every layer norm: 1e-12.
    public let epsilon: Float

    /// How the rows of a text's tokens become one.
    public enum Pooling: Sendable {
        /// Their mean.
        case mean
        /// The first one, that of `[CLS]`.
        case first
    }

    /// How the rows of a text's tokens become one.
    public var pooling = Pooling.mean

    /// Whether embeddings are scaled to length 1.
    public var isNormalized = true

    /// Whether weights of these sizes can lie in `layout`.
    public func allows(_ layout: WeightLayout) -> Bool {
        [hidden, inner].allSatisfy { layout.shape(out: $0, in: 1) != nil }
    }

    /// The configuration that the text of `config.json` describes.
    ///
    /// - Throws: `EncoderError`, which names the field, unless it is a BERT encoder with the exact
    ///   GELU, absolute positions and heads of 32.
    public init(parsing json: [UInt8]) throws(EncoderError) {
        let fields = try ConfigurationFields(parsing: json)
        try fields.require("model_type", "bert")
        try fields.require("hidden_act", "gelu")
        try fields.require("position_embedding_type", "absolute", orAbsent: true)
        try fields.refuse("is_decoder")
        try fields.refuse("add_cross_attention")
        hidden = try fields.size("hidden_size", 32...8_192, multipleOf: attentionHeadSize)
        layers = try fields.size("num_hidden_layers", 1...128)
        heads = try fields.size("num_attention_heads", 1...256)
        guard heads * attentionHeadSize == hidden else {
            throw .configuration(
                field: "num_attention_heads",
                reason: "\(heads) heads of \(hidden) features; heads of 32 are what we compute")
        }
        inner = try fields.size("intermediate_size", 32...65_536, multipleOf: 16)
        vocabulary = try fields.size("vocab_size", 1...10_000_000)
        positions = try fields.size("max_position_embeddings", 1...8_192)
        types = try fields.size("type_vocab_size", 1...1_024)
        epsilon = try fields.small("layer_norm_eps")
    }
}

/// The members of `config.json`, read with reasons.
private struct ConfigurationFields {
    private let members: JSONObject

    init(parsing json: [UInt8]) throws(EncoderError) {
        let value: JSONValue
        do { value = try JSONValue(parsing: json) } catch {
            throw .unreadableConfiguration(error.description)
        }
        guard case .object(let members) = value else {
            throw .unreadableConfiguration("not an object")
        }
        self.members = members
    }

    private func member(_ field: String) throws(EncoderError) -> JSONValue {
        guard let value = members[field] else {
            throw .configuration(field: field, reason: "missing")
        }
        return value
    }

    func require(_ field: String, _ expected: String, orAbsent: Bool = false)
        throws(EncoderError)
    {
        if orAbsent && members[field] == nil { return }
        guard case .string(let found) = try member(field) else {
            throw .configuration(field: field, reason: "not a string")
        }
        guard found == expected else {
            throw .configuration(
                field: field, reason: "\"\(found)\"; \"\(expected)\" is what we compute")
        }
    }

    func refuse(_ field: String) throws(EncoderError) {
        switch members[field] {
        case nil, .null, .bool(false): return
        default: throw .configuration(field: field, reason: "only false is what we compute")
        }
    }

    func size(_ field: String, _ range: ClosedRange<Int>, multipleOf unit: Int = 1)
        throws(EncoderError) -> Int
    {
        guard case .integer(let size) = try member(field) else {
            throw .configuration(field: field, reason: "not a whole number")
        }
        guard range ~= size else {
            throw .configuration(
                field: field,
                reason: "\(size), not from \(range.lowerBound) to \(range.upperBound)")
        }
        guard size.isMultiple(of: unit) else {
            throw .configuration(field: field, reason: "\(size), not a multiple of \(unit)")
        }
        return size
    }

    func small(_ field: String) throws(EncoderError) -> Float {
        let value: Double
        switch try member(field) {
        case .double(let number): value = number
        case .integer(let number): value = Double(number)
        default: throw .configuration(field: field, reason: "not a number")
        }
        guard value >= 0 && value <= 1e-3 else {
            throw .configuration(field: field, reason: "\(value), not from 0 to 0.001")
        }
        return Float(value)
    }
}
