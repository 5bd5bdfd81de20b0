import Encoder
import Foundation
import Kernels
import Tensors
import Testing

@Suite struct `Encoder configuration` {
    /// The published model's fields, each with its value's text.
    private static let members = [
        "model_type": #""bert""#, "hidden_act": #""gelu""#, "hidden_size": "384",
        "num_hidden_layers": "6", "num_attention_heads": "12", "intermediate_size": "1536",
        "vocab_size": "30522", "max_position_embeddings": "512", "type_vocab_size": "2",
        "layer_norm_eps": "1e-12", "position_embedding_type": #""absolute""#,
        "pad_token_id": "0", "architectures": #"["BertModel"]"#,
    ]

    private func parse(_ field: String? = nil, as value: String? = nil) throws(EncoderError)
        -> EncoderConfiguration
    {
        var members = Self.members
        if let field { members[field] = value }
        let json = members.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
        return try EncoderConfiguration(parsing: Array("{\(json)}".utf8))
    }

    @Test func `reads the published model's sizes`() throws {
        let configuration = try parse()
        #expect(configuration.hidden == 384)
        #expect(configuration.layers == 6)
        #expect(configuration.heads == 12)
        #expect(configuration.inner == 1536)
        #expect(configuration.vocabulary == 30522)
        #expect(configuration.positions == 512)
        #expect(configuration.types == 2)
        #expect(configuration.epsilon == 1e-12)
    }

    @Test(arguments: [
        "model_type", "hidden_act", "hidden_size", "num_hidden_layers", "num_attention_heads",
        "intermediate_size", "vocab_size", "max_position_embeddings", "type_vocab_size",
        "layer_norm_eps",
    ])
    func `a missing field is named`(field: String) {
        #expect(throws: EncoderError.configuration(field: field, reason: "missing")) {
            try parse(field)
        }
    }

    @Test(arguments: [
        ("model_type", #""roberta""#), ("hidden_act", #""gelu_new""#), ("hidden_act", "7"),
        ("position_embedding_type", #""relative_key""#), ("is_decoder", "true"),
        ("hidden_size", "390"), ("hidden_size", "-384"), ("hidden_size", #""384""#),
        ("hidden_size", "384.5"), ("num_attention_heads", "6"), ("num_hidden_layers", "0"),
        ("intermediate_size", "1537"), ("vocab_size", "99999999999"),
        ("max_position_embeddings", "0"), ("layer_norm_eps", "1"), ("layer_norm_eps", "null"),
    ])
    func `another architecture is refused by the field's name`(field: String, value: String) {
        do {
            _ = try parse(field, as: value)
            Issue.record("\(field) = \(value) was accepted")
        } catch {
            guard case .configuration(let named, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(named == field)
        }
    }

    @Test(arguments: ["", "{", "[]", "7", "nonsense"])
    func `what is no object of JSON is refused`(text: String) {
        #expect(throws: EncoderError.self) { try EncoderConfiguration(parsing: Array(text.utf8)) }
    }

    @Test func `a weight of another shape is refused by its name`() throws {
        let configuration = try parse()
        let name = "encoder.layer.3.output.dense.bias"
        #expect(throws: EncoderError.weight(name: name, reason: "shape [7], expected [384]")) {
            _ = try SentenceEncoder(configuration: configuration) { asked, shape in
                let shape = asked == name ? [7] : shape
                return Tensor(
                    shape: shape, copying: [Float](repeating: 0, count: shape.reduce(1, *)).span)
            }
        }
    }
}
