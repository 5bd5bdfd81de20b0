public import System
public import Tensors

/// The adaptive denoiser, and the original's network that was trained beside it.
public struct AdaptiveDenoiser: Denoiser {
    /// The two networks of a file.
    public struct Networks: Sendable {
        /// The numbers that answer.
        public let parameters: AdaptiveParameters

        /// The original's network, which the same file holds for readers that know no other; nil if
        /// it has none.
        public let original: AutoencoderParameters?

        /// Both networks.
        public init(_ parameters: AdaptiveParameters, original: AutoencoderParameters?) {
            self.parameters = parameters
            self.original = original
        }
    }

    private let networks: @Sendable () -> Networks
    private let pilots: [Int]

    /// A denoiser with these numbers.
    public init(_ parameters: AdaptiveParameters, original: AutoencoderParameters? = nil) {
        let networks = Networks(parameters, original: original)
        self.init(pilots: parameters.pilots) { networks }
    }

    /// A denoiser whose numbers are asked for when a row shows noise, so that clean rows need none.
    ///
    /// - Parameters:
    ///   - pilots: those of the numbers.
    ///   - networks: gives the same numbers each time; it is called often.
    public init(pilots: [Int], networks: @escaping @Sendable () -> Networks) {
        self.pilots = pilots
        self.networks = networks
    }

    /// The numbers that answer.
    public var parameters: AdaptiveParameters { networks().parameters }

    /// The original's network; nil if there is none.
    public var original: AutoencoderParameters? { networks().original }

    public var kind: DenoiserKind { .adaptive }
    public var width: Int { embeddingWidth }

    /// The original's tensors come first, as in files without an adaptive denoiser.
    public var tensors: [(name: String, tensor: Tensor)] {
        (original?.named ?? []) + parameters.named
    }

    public func denoise(
        _ rows: [Float], _ options: DenoisingOptions, team: WorkerPair?
    ) -> DenoisedRows {
        let noise: Float? =
            switch options.noise {
            case .automatic: nil
            case .given(let level): level
            }
        let pilots =
            options.pilots.map { shared in self.pilots.filter(shared.contains) } ?? self.pilots
        if noise == nil, !pilots.showNoise(rows.span, width: width) {
            let count = rows.count / width
            return DenoisedRows(
                values: rows, summary: DenoisingSummary(rows: count, movedRows: 0, noiseSum: 0))
        }
        let parameters = parameters.keeping(pilots: pilots)
        let answer = parameters.denoise(
            rows, noise: noise, profile: options.strength.profile, team: team)
        let levels = answer.estimate.levels
        let summary = DenoisingSummary(
            rows: levels.count, movedRows: levels.count { $0 > 0 },
            noiseSum: levels.reduce(0) { $0 + Double($1) })
        return DenoisedRows(values: answer.values, summary: summary)
    }

    /// The answers in pieces and joined, the rows that move, what Stein's estimate takes of the
    /// rows that it judges by, and a workspace for each thread of a team.
    public static func memory(rows: Int) -> Int {
        let row = embeddingWidth * MemoryLayout<Float>.stride
        let judged = min(rows, EvidenceLimits().mostRows)
        return 3 * rows * row + 9 * judged * row + 4 * embeddingWidth * row
            + WorkerPair.size
            * AdaptiveWorkspace.memory(
                rows: min(rows, AdaptiveWorkspace.mostRows), shape: AdaptiveShape())
    }
}

extension AdaptiveDenoiser {
    /// Bytes that the networks take once they are read.
    public static var networkMemory: Int {
        let shape = AdaptiveShape()
        // The last summand is for the original's network and for small tables.
        return 4 * (shape.parameterCount + shape.width * shape.width) + (1 << 20)
    }

    /// The most distinct lines that an adaptation sees: its steps see each of so many six times.
    private static let mostLines = 6_000

    /// The numbers of the lines, of `count` distinct ones, that an adaptation sees: evenly spaced
    /// if there are too many.
    public static func adaptationLines(of count: Int) -> [Int] {
        guard count > mostLines else { return Array(0..<count) }
        return (0..<mostLines).map { $0 * count / mostLines }
    }

    /// Bytes that an adaptation to `lines` lines takes at most, the embeddings of all lines
    /// included.
    public static func adaptationMemory(lines: Int) -> Int {
        let row = embeddingWidth * MemoryLayout<Float>.stride
        let shape = AdaptiveShape()
        // The chosen lines, those trained on, twice while the replayed rows come to them, and these
        // along the axes.
        let rows = min(lines, mostLines) + replayedRows
        // The base, what training made of it, and two parts of the way; judging takes less than
        // training.
        let networks = 4 * shape.parameterCount * MemoryLayout<Float>.stride
        return lines * row + 4 * rows * row + networks
            + AdaptiveBuffers.memory(batch: AdaptationOptions().batchSize, shape: shape) + 4 << 20
    }

    /// Bytes that a training run from scratch on `lines` lines takes at most, their embeddings
    /// included.
    public static func trainingMemory(lines: Int) -> Int {
        lines * embeddingWidth * MemoryLayout<Float>.stride
            + AdaptiveTrainer.memory(rows: lines, options: AdaptiveTrainingOptions())
    }

    /// Stored rows that an adaptation sees again.
    private static let replayedRows = 1000
}

extension DenoisingStrength {
    /// The table that moves all rows; nil if the rows themselves decide.
    var profile: AdaptiveProfile? {
        switch self {
        case .auto: nil
        case .safe: .safe
        case .balanced: .balanced
        case .restore: .restore
        }
    }
}
