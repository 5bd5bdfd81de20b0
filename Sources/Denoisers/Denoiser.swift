public import System
public import Tensors

/// Elements of an embedding: what the encoder makes and every denoiser takes.
public let embeddingWidth = 384

/// The kinds of denoisers; a model's file names its kind.
public enum DenoiserKind: String, Sendable, CaseIterable {
    /// The original application's network.
    case autoencoder
    /// Estimates each row's noise and moves the row no further than that allows.
    case adaptive
}

/// A trained network that takes noise out of embeddings; immutable and shared.
///
/// A kind of denoiser is a type that conforms, a case of `DenoiserKind`, and a line if
/// `DenoiserModel` reads files.
public protocol Denoiser: Sendable {
    /// Which kind it is.
    var kind: DenoiserKind { get }

    /// Elements of a row.
    var width: Int { get }

    /// Names and tensors, in the order in which files keep them.
    var tensors: [(name: String, tensor: Tensor)] { get }

    /// Denoises `rows`, row-major [rows, width].
    ///
    /// - Parameters:
    ///   - options: what the caller knows of the noise, and how far rows may move.
    ///   - team: a second thread for many rows; the result is the same without it.
    func denoise(
        _ rows: [Float], _ options: DenoisingOptions, team: WorkerPair?
    ) -> DenoisedRows

    /// Bytes that `denoise` takes for `rows` rows at most, besides the rows and the result.
    static func memory(rows: Int) -> Int
}

/// What a caller of a denoiser knows and wants.
public struct DenoisingOptions: Sendable, Equatable {
    /// How strong the noise is.
    public enum Noise: Sendable, Equatable {
        /// Estimated from the rows.
        case automatic
        /// This standard deviation of an element, in every row.
        case given(Float)
    }

    /// How strong the noise is.
    public var noise = Noise.automatic

    /// How far rows may move.
    public var strength = DenoisingStrength.auto

    /// Elements that are 0 in every embedding of the encoder that made the rows; nil if nobody
    /// knows the encoder.
    public var pilots: [Int]?

    /// Estimated noise and automatic strength, unless told otherwise.
    public init(
        noise: Noise = .automatic, strength: DenoisingStrength = .auto, pilots: [Int]? = nil
    ) {
        self.noise = noise
        self.strength = strength
        self.pilots = pilots
    }
}

/// How far a denoiser may move rows.
public enum DenoisingStrength: String, Sendable, CaseIterable {
    /// As far as evidence allows, never so far that a row gets worse.
    case auto
    /// No further than is safe for text of an unknown kind.
    case safe
    /// Further; safe for English text only.
    case balanced
    /// As near to the clean rows as possible, whatever becomes of their ranking.
    case restore
}

/// Denoised rows, and what was found out about them.
public struct DenoisedRows: Sendable {
    /// Row-major, as many rows as came.
    public var values: [Float]

    /// What was found out.
    public var summary: DenoisingSummary

    /// - Parameter values: row-major.
    public init(values: [Float], summary: DenoisingSummary) {
        self.values = values
        self.summary = summary
    }
}

/// What a denoiser found out about rows.
public struct DenoisingSummary: Sendable, Equatable {
    /// Rows denoised.
    public var rows: Int

    /// Rows that differ from what came.
    public var movedRows: Int

    /// The sum of the rows' noise levels as estimated or given; nil if the kind has no use for
    /// them.
    public var noiseSum: Double?

    /// - Parameter noiseSum: the sum of the rows' noise levels.
    public init(rows: Int, movedRows: Int, noiseSum: Double? = nil) {
        self.rows = rows
        self.movedRows = movedRows
        self.noiseSum = noiseSum
    }

    /// The mean noise level; nil if there is none.
    public var meanNoise: Double? { rows > 0 ? noiseSum.map { $0 / Double(rows) } : nil }
}
