internal import Kernels

/// The extents of an adaptive denoiser's network.
public struct AdaptiveShape: Sendable, Equatable {
    /// Elements of an embedding.
    public let width: Int

    /// Units of the hidden layer, each with a gate.
    public let hidden: Int

    /// A network on rows of `width` elements with `hidden` gated units.
    public init(width: Int = 384, hidden: Int = 800) {
        precondition(width > 0 && hidden > 0, "a network of \(width) and \(hidden)")
        self.width = width
        self.hidden = hidden
    }

    /// The features by which the network sees the noise level: 8 from 0 to 0.3.
    static let features = LevelFeatures(count: 8, spacing: 0.3 / 7)

    /// Elements of a row that the hidden layer reads: an embedding, the features, 1, and zeros that
    /// fill up vectors.
    var inputs: Int { (width + Self.features.count + 1 + 15) / 16 * 16 }

    /// The hidden layer's weights, with those of the features and the biases: [2 · hidden, inputs].
    var first: Range<Int> { 0..<2 * hidden * inputs }

    /// The last layer's weights [width, hidden].
    var second: Range<Int> { first.upperBound..<first.upperBound + width * hidden }

    /// The last layer's biases [width].
    var bias: Range<Int> { second.upperBound..<second.upperBound + width }

    /// All trained numbers in one buffer, with the zeros that fill up vectors.
    var parameterCount: Int { bias.upperBound }
}
