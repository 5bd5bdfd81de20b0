/// How the autoencoder is trained; the defaults are the original application's but for the noise.
public struct TrainingOptions: Sendable, Equatable {
    /// When noise is drawn.
    public enum Noise: String, Sendable, CaseIterable {
        /// Anew for every batch, so that the model learns to remove noise rather than one draw of
        /// it.
        case fresh
        /// Once for the whole corpus, as the original does.
        case fixed
    }

    /// Standard deviation of the noise.
    public var noiseLevel: Float = 0.1

    /// Passes over the corpus.
    public var epochs = 100

    /// Rows in a step; the last step of an epoch may have fewer.
    public var batchSize = 32

    /// Adam's step size.
    public var learningRate = 0.001

    /// When noise is drawn.
    public var noise = Noise.fresh

    /// What initial parameters, order and noise follow from; equal seeds give equal models.
    public var seed: UInt64 = 0

    /// The original's settings.
    public init() {}
}
