/// What the encoder computed since it was made, and what waits for it now.
public struct EncoderStatistics: Sendable, Equatable {
    /// Upper bounds of the classes that `batchSizes` counts in; one more class is unbounded.
    public static let batchBounds = [1, 2, 4, 8, 16, 32, 64]

    /// Batches by how many sequences they held.
    public internal(set) var batchSizes = [Int](repeating: 0, count: batchBounds.count + 1)
    /// Sequences in all of them.
    public internal(set) var sequences = 0
    /// Tokens in all of them.
    public internal(set) var tokens = 0
    /// Tokens a second of long requests, by the last measurement.
    public internal(set) var tokensPerSecond = 0.0

    /// Whether that was measured; before the first measurement it is what a slow core does.
    public internal(set) var isPaceMeasured = false
    /// Tokens of requests that wait.
    public internal(set) var waitingTokens = 0
    /// Requests that wait, or of which a part waits.
    public internal(set) var waitingJobs = 0
    /// Their sequences that wait.
    public internal(set) var waitingSequences = 0
    /// Sequences of a training run that wait.
    public internal(set) var backgroundSequences = 0

    /// Nothing so far.
    public init() {}

    mutating func count(_ batch: [EmbeddingQueue.Item]) {
        let place = Self.batchBounds.firstIndex { batch.count <= $0 } ?? Self.batchBounds.count
        batchSizes[place] += 1
        sequences += batch.count
        tokens += batch.reduce(0) { $0 + $1.job.sequences[$1.index].count }
    }
}
