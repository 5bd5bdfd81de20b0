import System
import Inference
import Synchronization

@testable import API

/// The service behind the routes: texts become rows of zeros, embeddings stay as they are, and
/// training remembers its text.
final class StandIn: DenoisingService {
    let isModelLoaded = true
    private let texts = Mutex<[[UInt8]]>([])

    /// The texts of every run so far.
    var trained: [[UInt8]] { texts.withLock { $0 } }

    func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> DenoisedBatch {
        try denoise(
            embeddings: [Float](repeating: 0, count: texts.count * 384), noiseLevel: noiseLevel)
    }

    func denoise(embeddings: [Float], noiseLevel: Float) throws(InferenceError) -> DenoisedBatch {
        guard noiseLevel >= 0, noiseLevel.isFinite else { throw .failed("noise \(noiseLevel)") }
        return DenoisedBatch(values: embeddings, columns: 384, truncated: 0, modelVersion: "1-0")
    }

    func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        texts.withLock { $0.append(text) }
        return TrainingOutcome(
            loss: 0.5, version: "1-0", noisyCosine: nil, denoisedCosine: nil, stages: [])
    }
}

/// A body that comes in pieces.
struct CutBody: BodySource {
    var declaredLength: Int?
    private var rest: ArraySlice<UInt8>
    private var portion: (Int) -> Int

    /// - Parameter portion: how many of the bytes left come next.
    init(_ bytes: ArraySlice<UInt8>, declares: Bool, portion: @escaping (Int) -> Int) {
        rest = bytes
        declaredLength = declares ? bytes.count : nil
        self.portion = portion
    }

    mutating func read(upTo limit: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int {
        guard !rest.isEmpty else { return 0 }
        let part = rest.prefix(min(limit, portion(rest.count)))
        buffer += part
        rest = rest.dropFirst(part.count)
        return part.count
    }
}
