internal import Kernels

/// A dense layer: weight [out, in] as PyTorch stores it, bias [out].
struct Dense: Sendable {
    let weight: Tensor
    let bias: Tensor
}

/// Gain and shift of a layer norm, both [hidden].
struct Norm: Sendable {
    let gain: Tensor
    let shift: Tensor
}

/// One transformer layer's weights.
struct LayerWeights: Sendable {
    let query, key, value: Dense
    let attentionOutput: Dense
    let attentionNorm: Norm
    let intermediate: Dense
    let output: Dense
    let outputNorm: Norm
}

/// All weights, by the names they have in the checkpoint.
struct EncoderWeights: Sendable {
    /// Shape [vocabulary, hidden].
    let words: Tensor
    /// Shape [positions, hidden].
    let positions: Tensor
    /// Shape [2, hidden]; a text is of type 0 throughout.
    let types: Tensor
    let embeddingNorm: Norm
    let layers: [LayerWeights]

    init(
        _ sizes: EncoderConfiguration,
        tensor: (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor
    ) throws(EncoderError) {
        func dense(_ name: String, _ output: Int, _ input: Int) throws(EncoderError) -> Dense {
            Dense(
                weight: try tensor("\(name).weight", [output, input]),
                bias: try tensor("\(name).bias", [output]))
        }
        func norm(_ name: String) throws(EncoderError) -> Norm {
            Norm(
                gain: try tensor("\(name).weight", [sizes.hidden]),
                shift: try tensor("\(name).bias", [sizes.hidden]))
        }
        let (hidden, inner) = (sizes.hidden, sizes.inner)
        words = try tensor("embeddings.word_embeddings.weight", [sizes.vocabulary, hidden])
        positions = try tensor("embeddings.position_embeddings.weight", [sizes.positions, hidden])
        types = try tensor("embeddings.token_type_embeddings.weight", [2, hidden])
        embeddingNorm = try norm("embeddings.LayerNorm")
        var layers: [LayerWeights] = []
        for index in 0..<sizes.layers {
            let layer = "encoder.layer.\(index)"
            layers.append(
                LayerWeights(
                    query: try dense("\(layer).attention.self.query", hidden, hidden),
                    key: try dense("\(layer).attention.self.key", hidden, hidden),
                    value: try dense("\(layer).attention.self.value", hidden, hidden),
                    attentionOutput: try dense("\(layer).attention.output.dense", hidden, hidden),
                    attentionNorm: try norm("\(layer).attention.output.LayerNorm"),
                    intermediate: try dense("\(layer).intermediate.dense", inner, hidden),
                    output: try dense("\(layer).output.dense", hidden, inner),
                    outputNorm: try norm("\(layer).output.LayerNorm")))
        }
        self.layers = layers
    }
}
