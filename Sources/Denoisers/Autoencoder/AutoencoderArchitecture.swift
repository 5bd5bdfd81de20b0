/// The sizes of an autoencoder: four dense layers, and if their parameters lie in one flat buffer.
public struct AutoencoderArchitecture: Sendable {
    /// Elements of a row, of the layers around the code, and of the code.
    public let width, hidden, code: Int

    /// The layers in order, under the names that PyTorch's two `Sequential`s give them.
    ///
    /// Nothing here counts references: two threads read it many times a training step.
    let layers: InlineArray<4, Layer>

    /// The original application's network.
    public static let original = AutoencoderArchitecture(
        width: embeddingWidth, hidden: 128, code: 64)

    /// A network whose layers lead from `width` to `hidden`, `code`, `hidden`, `width` elements.
    ///
    /// - Parameters:
    ///   - width: a multiple of 128, of which training takes halves.
    ///   - hidden: a multiple of 64.
    ///   - code: a multiple of 64.
    public init(width: Int, hidden: Int, code: Int) {
        precondition(
            width % 128 == 0 && hidden % 64 == 0 && code % 64 == 0,
            "layers of \(width), \(hidden) and \(code) elements")
        (self.width, self.hidden, self.code) = (width, hidden, code)
        let first = Layer("encoder.0", width, hidden, rectify: true, at: 0)
        let second = Layer("encoder.2", hidden, code, rectify: true, at: first.bias.upperBound)
        let third = Layer("decoder.0", code, hidden, rectify: true, at: second.bias.upperBound)
        let last = Layer("decoder.2", hidden, width, rectify: false, at: third.bias.upperBound)
        layers = [first, second, third, last]
    }

    /// All weights and biases.
    public var parameterCount: Int { layers[layers.count - 1].bias.upperBound }

    /// A layer: its name in files, its extents, and whether max(x, 0) follows.
    struct Layer: Sendable {
        let name: StaticString
        let input: Int
        let output: Int
        let rectify: Bool
        /// If the weight [output, input] begins; the bias [output] follows it.
        let offset: Int

        init(_ name: StaticString, _ input: Int, _ output: Int, rectify: Bool, at offset: Int) {
            self.name = name
            self.input = input
            self.output = output
            self.rectify = rectify
            self.offset = offset
        }

        var weight: Range<Int> { offset..<offset + input * output }
        var bias: Range<Int> { weight.upperBound..<weight.upperBound + output }
    }
}
