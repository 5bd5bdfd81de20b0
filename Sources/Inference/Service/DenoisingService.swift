internal import Denoisers
public import System

/// What the product does, as the routes and the command line ask for it.
public protocol DenoisingService: Sendable {
    /// Whether a denoiser is loaded; without one the two `denoise` calls throw `modelNotLoaded`.
    var isModelLoaded: Bool { get }

    /// What the service is made of and how fast it is, as it is now.
    var facts: ServiceFacts { get }

    /// Embeds each text and leaves the embeddings as they are; needs no denoiser.
    ///
    /// - Throws: as `denoise(texts:noiseLevel:for:)`, except `modelNotLoaded`.
    func embed(texts: [String], for caller: Caller) throws(InferenceError) -> EmbeddingBatch

    /// Embeds each text, adds noise of standard deviation `noiseLevel` if it is above 0, denoises.
    ///
    /// - Throws: `tooMuchWork` or `tooLate` if the answer would not come in the caller's time,
    ///   `callerLeft` if nobody waits for it any more.
    func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch

    /// The same for embeddings given as numbers: row-major [rows, 384].
    func denoise(embeddings: [Float], noiseLevel: Float) throws(InferenceError) -> EmbeddingBatch

    /// Trains the denoiser on UTF-8 `text`, one training text a line, and puts the result live.
    func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome
}

/// Embeddings and what the caller is told beside them.
public struct EmbeddingBatch: Sendable {
    /// Row-major [rows, `columns`].
    public var values: [Float]

    /// Elements in a row: 384.
    public var columns: Int

    /// Texts cut at the encoder's limit.
    public var truncated: Int

    /// Tokens that were encoded, with `[CLS]` and `[SEP]`; 0 if the rows came as numbers.
    public var tokens: Int

    /// The version of the model that denoised every row; nil if none was denoised.
    public var modelVersion: String?

    /// The mean noise level of the rows; nil if the model has no use for it.
    public var noiseEstimate: Double?

    /// How long each stage took, in order.
    public var stages: [Stage]

    public init(
        values: [Float], columns: Int, truncated: Int, tokens: Int = 0,
        modelVersion: String? = nil, noiseEstimate: Double? = nil, stages: [Stage] = []
    ) {
        self.values = values
        self.columns = columns
        self.truncated = truncated
        self.tokens = tokens
        self.modelVersion = modelVersion
        self.noiseEstimate = noiseEstimate
        self.stages = stages
    }
}

extension EmbeddingBatch {
    /// The cosine of the first row and each of the others, from -1 to 1; 0 beside a row of zeros.
    public func cosinesToFirst() -> [Double] {
        let first = values.span.extracting(0..<columns)
        return stride(from: columns, to: values.count, by: columns).map { start in
            cosine(first, values.span.extracting(start..<(start + columns)))
        }
    }
}

/// Why the service has no answer.
public enum InferenceError: Error, Equatable {
    /// No denoiser is loaded yet.
    case modelNotLoaded
    /// The queue is full; worth another try after `retryAfter` seconds.
    case overloaded(retryAfter: Int)
    /// What waits and the request itself are more than can be done in its time; nothing was
    /// computed.
    case tooMuchWork(TooMuchWork)
    /// The answer would come after the deadline, so no more was computed.
    case tooLate
    /// Nobody waits for the answer any more, so no more was computed.
    case callerLeft
    /// Another training run holds the lock, or too many wait for it; worth another try after
    /// `retryAfter` seconds.
    case trainingBusy(retryAfter: Int)
    /// The training run was ended because the service stops; the live model is unchanged.
    case trainingCancelled
    /// The training run would have taken longer than `limit` seconds; the live model is unchanged.
    case trainingTooLong(limit: Int)
    /// The upload holds no text.
    case noTrainingText
    /// The upload holds more lines than the configured limit.
    case tooManyLines(given: Int, limit: Int)
    /// The training run gave no usable model (a non-finite loss); the live model is unchanged.
    case trainingFailed(String)
    /// A fault of our own or of the machine's; the text says which.
    case failed(String)
    /// The model's files cannot be read or written: once without this machine's folders, for
    /// clients.
    case storageFailed(answer: String, log: String)
    /// The encoder's files were written over, so no vector is to be trusted until they are read
    /// anew; worth another try after `retryAfter` seconds.
    case encoderChanged(retryAfter: Int)
}

extension InferenceError {
    /// What the log says of it, this machine's folders included.
    var logText: String {
        if case .storageFailed(_, let log) = self { return log }
        return "\(self)"
    }
}
