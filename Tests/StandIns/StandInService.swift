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

    public func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> DenoisedBatch {
        try denoise(
            embeddings: [Float](repeating: 0, count: texts.count * 384), noiseLevel: noiseLevel)
    }

    public func denoise(
        embeddings: [Float], noiseLevel: Float
    ) throws(InferenceError) -> DenoisedBatch {
        if let error { throw error }
        // No route lets another noise through.
        guard noiseLevel >= 0, noiseLevel.isFinite else { throw .failed("noise \(noiseLevel)") }
        return DenoisedBatch(
            values: offset == 0 ? embeddings : embeddings.map { $0 + offset }, columns: 384,
            truncated: truncated, modelVersion: modelVersion)
    }

    public func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        texts.withLock { $0.append(text) }
        if let error { throw error }
        return try training.get()
    }
}
