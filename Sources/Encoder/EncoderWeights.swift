internal import Kernels
internal import Tensors

/// Every weight of the encoder under its name in the checkpoint; this file alone knows those names.
struct EncoderWeights: Sendable {
    /// [vocabulary, hidden].
    let words: Tensor
    /// [positions, hidden].
    let positions: Tensor
    /// [types, hidden]; a single text is all of type 0, the first row.
    let types: Tensor
    let norm: LayerNormWeights
    let layers: [LayerWeights]
    /// Whether the weights of linear maps are packed (see `PackedWeight`).
    let isPacked: Bool

    init(
        _ configuration: EncoderConfiguration, packed: Bool, tensor: WeightSource
    ) throws(EncoderError) {
        isPacked = packed
        let hidden = configuration.hidden
        norm = try LayerNormWeights("embeddings.LayerNorm", hidden, tensor)
        words = try find(
            "embeddings.word_embeddings.weight", [configuration.vocabulary, hidden], tensor)
        positions = try find(
            "embeddings.position_embeddings.weight", [configuration.positions, hidden], tensor)
        types = try find(
            "embeddings.token_type_embeddings.weight", [configuration.types, hidden], tensor)
        var layers: [LayerWeights] = []
        for index in 0..<configuration.layers {
            layers.append(
                try LayerWeights("encoder.layer.\(index)", configuration, packed: packed, tensor))
        }
        self.layers = layers
    }
}

/// Where weights come from, by name and expected shape.
typealias WeightSource = (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor

/// The weight named `name`, which must have `shape`.
private func find(
    _ name: String, _ shape: [Int], _ source: WeightSource
) throws(EncoderError) -> Tensor {
    let found = try source(name, shape)
    guard found.shape == shape else {
        throw .weight(name: name, reason: "shape \(found.shape), expected \(shape)")
    }
    return found
}

/// The weight of a linear map named `name`, [out, in], or the same packed.
private func findMatrix(
    _ name: String, in columns: Int, out: Int, packed: Bool, _ source: WeightSource
) throws(EncoderError) -> Tensor {
    guard packed else { return try find(name, [out, columns], source) }
    guard let shape = PackedWeight.shape(out: out, in: columns) else {
        throw .weight(
            name: name, reason: "\(out) rows, packed are multiples of \(PackedWeight.rows)")
    }
    return try find(name, shape, source)
}

/// A linear map y = x · weightᵀ + bias.
struct LinearWeights: Sendable {
    /// [out, in], or the same packed.
    let weight: Tensor
    /// [out].
    let bias: Tensor

    init(
        _ name: String, in columns: Int, out: Int, packed: Bool, _ source: WeightSource
    ) throws(EncoderError) {
        weight = try findMatrix("\(name).weight", in: columns, out: out, packed: packed, source)
        bias = try find("\(name).bias", [out], source)
    }
}

/// Gain and shift of a layer norm, [hidden] each.
struct LayerNormWeights: Sendable {
    let gain: Tensor
    let shift: Tensor

    init(_ name: String, _ hidden: Int, _ source: WeightSource) throws(EncoderError) {
        gain = try find("\(name).weight", [hidden], source)
        shift = try find("\(name).bias", [hidden], source)
    }
}

/// One transformer layer.
struct LayerWeights: Sendable {
    let query: LinearWeights
    /// [hidden, hidden], or the same packed; its bias is not used, since a softmax cancels it (see `attend`).
    let key: Tensor
    let value: LinearWeights
    let attentionOutput: LinearWeights
    let attentionNorm: LayerNormWeights
    let intermediate: LinearWeights
    let output: LinearWeights
    let outputNorm: LayerNormWeights

    init(
        _ name: String, _ configuration: EncoderConfiguration, packed: Bool,
        _ source: WeightSource
    ) throws(EncoderError) {
        let (hidden, inner) = (configuration.hidden, configuration.inner)
        let attention = "\(name).attention"
        query = try LinearWeights(
            "\(attention).self.query", in: hidden, out: hidden, packed: packed, source)
        key = try findMatrix(
            "\(attention).self.key.weight", in: hidden, out: hidden, packed: packed, source)
        value = try LinearWeights(
            "\(attention).self.value", in: hidden, out: hidden, packed: packed, source)
        attentionOutput = try LinearWeights(
            "\(attention).output.dense", in: hidden, out: hidden, packed: packed, source)
        attentionNorm = try LayerNormWeights("\(attention).output.LayerNorm", hidden, source)
        intermediate = try LinearWeights(
            "\(name).intermediate.dense", in: hidden, out: inner, packed: packed, source)
        output = try LinearWeights(
            "\(name).output.dense", in: inner, out: hidden, packed: packed, source)
        outputNorm = try LayerNormWeights("\(name).output.LayerNorm", hidden, source)
    }
}
