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
    /// The layout of the linear maps' weights.
    let layout: WeightLayout

    init(_ configuration: EncoderConfiguration, _ source: WeightSource) throws(EncoderError) {
        layout = source.layout
        let hidden = configuration.hidden
        norm = try LayerNormWeights("embeddings.LayerNorm", hidden, source)
        words = try source.tensor(
            "embeddings.word_embeddings.weight", [configuration.vocabulary, hidden])
        positions = try source.tensor(
            "embeddings.position_embeddings.weight", [configuration.positions, hidden])
        types = try source.tensor(
            "embeddings.token_type_embeddings.weight", [configuration.types, hidden])
        var layers: [LayerWeights] = []
        for index in 0..<configuration.layers {
            layers.append(try LayerWeights("encoder.layer.\(index)", configuration, source))
        }
        self.layers = layers
    }
}

/// Gives weights by their names, those of linear maps in one layout.
struct WeightSource {
    let layout: WeightLayout
    private let find: (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor

    /// A source that asks `find` for a tensor by its name and shape.
    init(
        _ layout: WeightLayout,
        _ find: @escaping (_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor
    ) {
        self.layout = layout
        self.find = find
    }

    /// The tensor named `name`, which must have `shape`.
    func tensor(_ name: String, _ shape: [Int]) throws(EncoderError) -> Tensor {
        let found = try find(name, shape)
        guard found.shape == shape else {
            throw .weight(name: name, reason: "shape \(found.shape), expected \(shape)")
        }
        return found
    }

    /// The weight [out, in] of a linear map.
    func weight(_ name: String, in columns: Int, out: Int) throws(EncoderError) -> Weight {
        guard let shape = layout.shape(out: out, in: columns) else {
            throw .weight(name: name, reason: layout.refusal(out: out))
        }
        return Weight(try tensor(name, shape), out: out, in: columns)
    }
}

/// A linear map y = x · weightᵀ + bias.
struct LinearWeights: Sendable {
    let weight: Weight
    /// [out].
    let bias: Tensor

    init(
        _ name: String, in columns: Int, out: Int, _ source: WeightSource
    ) throws(EncoderError) {
        weight = try source.weight("\(name).weight", in: columns, out: out)
        bias = try source.tensor("\(name).bias", [out])
    }
}

/// Gain and shift of a layer norm, [hidden] each.
struct LayerNormWeights: Sendable {
    let gain: Tensor
    let shift: Tensor

    init(_ name: String, _ hidden: Int, _ source: WeightSource) throws(EncoderError) {
        gain = try source.tensor("\(name).weight", [hidden])
        shift = try source.tensor("\(name).bias", [hidden])
    }
}

/// One transformer layer.
struct LayerWeights: Sendable {
    let query: LinearWeights
    /// [hidden, hidden]; its bias is not used, since a softmax cancels it (see `attention`).
    let key: Weight
    let value: LinearWeights
    let attentionOutput: LinearWeights
    let attentionNorm: LayerNormWeights
    let intermediate: LinearWeights
    let output: LinearWeights
    let outputNorm: LayerNormWeights

    init(
        _ name: String, _ configuration: EncoderConfiguration, _ source: WeightSource
    ) throws(EncoderError) {
        let (hidden, inner) = (configuration.hidden, configuration.inner)
        let attention = "\(name).attention"
        query = try LinearWeights("\(attention).self.query", in: hidden, out: hidden, source)
        key = try source.weight("\(attention).self.key.weight", in: hidden, out: hidden)
        value = try LinearWeights("\(attention).self.value", in: hidden, out: hidden, source)
        attentionOutput = try LinearWeights(
            "\(attention).output.dense", in: hidden, out: hidden, source)
        attentionNorm = try LayerNormWeights("\(attention).output.LayerNorm", hidden, source)
        intermediate = try LinearWeights(
            "\(name).intermediate.dense", in: hidden, out: inner, source)
        output = try LinearWeights("\(name).output.dense", in: inner, out: hidden, source)
        outputNorm = try LayerNormWeights("\(name).output.LayerNorm", hidden, source)
    }
}
