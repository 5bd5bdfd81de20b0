/// The four dense layers and where their parameters lie in one flat buffer.
public enum AutoencoderShape {
    /// Elements of an embedding.
    public static let width = 384

    /// A layer: its checkpoint name, extents, and whether max(x, 0) follows.
    struct Layer: Sendable {
        let name: String
        let input: Int
        let output: Int
        let rectify: Bool
        /// Where the weight [output, input] begins; the bias [output] follows it.
        let offset: Int

        var weight: Range<Int> { offset..<offset + input * output }
        var bias: Range<Int> { weight.upperBound..<weight.upperBound + output }
    }

    /// The layers in order, under the names PyTorch's two `Sequential`s give them.
    static let layers: [Layer] = {
        var offset = 0
        return [
            ("encoder.0", 384, 128, true), ("encoder.2", 128, 64, true),
            ("decoder.0", 64, 128, true), ("decoder.2", 128, 384, false),
        ].map { name, input, output, rectify in
            defer { offset += input * output + output }
            return Layer(
                name: name, input: input, output: output, rectify: rectify, offset: offset)
        }
    }()

    /// All parameters: 115,392.
    public static let parameterCount = layers.reduce(0) { $0 + $1.weight.count + $1.bias.count }
}
