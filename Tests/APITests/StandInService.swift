import System
import Foundation
import Inference

@testable import API

/// The reference application's stand-in model: zeros for texts, embeddings as they came.
struct StandInService: DenoisingService {
    var isModelLoaded = true
    /// What every call throws, if anything.
    var error: InferenceError?
    var truncated = 0
    /// Added to every value.
    var offset: Float = 0

    func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> DenoisedBatch {
        try denoise(
            embeddings: [Float](repeating: 0, count: texts.count * 384), noiseLevel: noiseLevel)
    }

    func denoise(embeddings: [Float], noiseLevel: Float) throws(InferenceError) -> DenoisedBatch {
        if let error { throw error }
        return DenoisedBatch(
            values: embeddings.map { $0 + offset }, columns: 384, truncated: truncated,
            modelVersion: "v7")
    }

    func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        throw error ?? .noTrainingText
    }
}

/// The answer to a request.
func ask(
    _ method: String, _ path: String, _ body: String = "", type: String? = "application/json",
    to application: Application = Application(service: StandInService())
) -> Response {
    var source = PiecewiseBody(Array(body.utf8), pieces: [1000])
    return application.respond(
        to: Request(
            method: method, path: path, headers: type.map { ["content-type": $0] } ?? [:]),
        body: &source)
}

extension Response {
    /// The header named `name`, if there is one.
    subscript(name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A 200 body of the denoise routes.
struct DenoisedBody: Decodable {
    var denoised_embeddings: [[Float]]
    var shape: [Int]
    var processing_time_ms: Double
}

/// An embedding of 384 numbers, with some of them replaced.
func embedding(_ changes: [Int: String] = [:]) -> String {
    let numbers = (0..<384).map { changes[$0] ?? "0.\(100 + $0)" }
    return "[\(numbers.joined(separator: ","))]"
}
