/// A result on the way through the encoder, under the name that the reference model gives it.
package enum Intermediate: CustomStringConvertible, Sendable {
    /// [tokens, hidden]
    case embeddings
    /// [tokens, hidden]: the context of all heads.
    case attention(layer: Int)
    /// [tokens, hidden]
    case attentionOutput(layer: Int)
    /// [tokens, inner]: after GELU.
    case intermediate(layer: Int)
    /// [tokens, hidden]
    case output(layer: Int)
    /// [sequences, hidden]
    case pooled
    /// [sequences, hidden]
    case embedding

    package var description: String {
        switch self {
        case .embeddings: "embeddings"
        case .attention(let layer): "encoder.layer.\(layer).attention.self"
        case .attentionOutput(let layer): "encoder.layer.\(layer).attention.output"
        case .intermediate(let layer): "encoder.layer.\(layer).intermediate"
        case .output(let layer): "encoder.layer.\(layer).output"
        case .pooled: "mean_pooled"
        case .embedding: "sentence_embedding"
        }
    }
}
