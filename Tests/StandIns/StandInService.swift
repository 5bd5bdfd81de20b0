public import Inference
private import Synchronization
public import System

/// What stands in for the models behind the routes: texts become rows of zeros, embeddings stay as
/// they are, and training only remembers its text.
public final class StandInService: DenoisingService {
    public let isModelLoaded: Bool
    private let error: InferenceError?
    private let truncated: Int
    private let offset: Float
    private let modelVersion: String
    private let training: Result<TrainingOutcome, InferenceError>
    private let texts = Mutex<[[UInt8]]>([])

    /// - Parameters:
    ///   - error: what every call throws, if anything.
    ///   - truncated: how many texts are said to be cut.
    ///   - offset: is added to every value.
    ///   - training: how a training run ends.
    public init(
        isModelLoaded: Bool = true, error: InferenceError? = nil, truncated: Int = 0,
        offset: Float = 0, modelVersion: String = "v7",
        training: Result<TrainingOutcome, InferenceError> = .success(
            TrainingOutcome(
                loss: 0.5, version: "7", noisyCosine: nil, denoisedCosine: nil, stages: []))
    ) {
        self.isModelLoaded = isModelLoaded
        self.error = error
        self.truncated = truncated
        self.offset = offset
        self.modelVersion = modelVersion
        self.training = training
    }

    /// The texts of every training run so far.
    public var trained: [[UInt8]] { texts.withLock { $0 } }

    public var facts: ServiceFacts {
        ServiceFacts(
            model: isModelLoaded
                ? ServiceFacts.ModelFacts(version: modelVersion, kind: "adaptive", isBuiltIn: false)
                : nil,
            tokenLimit: 256, columns: 384, threads: 1)
    }

    /// A row for each text: its UTF-8 bytes as numbers, then zeros.
    public func embed(
        texts: [String], for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch {
        if let error { throw error }
        let rows = texts.map { text in
            Array((text.utf8.map { Float($0) } + [Float](repeating: 0, count: 384)).prefix(384))
        }
        return EmbeddingBatch(
            values: Array(rows.joined()), columns: 384, truncated: truncated,
            tokens: texts.count * 3)
    }

    public func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> EmbeddingBatch {
        try denoise(
            embeddings: [Float](repeating: 0, count: texts.count * 384), noiseLevel: noiseLevel)
    }

    public func denoise(
        embeddings: [Float], noiseLevel: Float
    ) throws(InferenceError) -> EmbeddingBatch {
        if let error { throw error }
        // No route lets another noise through.
        guard noiseLevel >= 0, noiseLevel.isFinite else { throw .failed("noise \(noiseLevel)") }
        return EmbeddingBatch(
            values: offset == 0 ? embeddings : embeddings.map { $0 + offset }, columns: 384,
            truncated: truncated, modelVersion: modelVersion)
    }

    public func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        texts.withLock { $0.append(text) }
        if let error { throw error }
        return try training.get()
    }
}
