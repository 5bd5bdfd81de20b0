import System
import Foundation
import Inference
import Synchronization
import Testing

@testable import API

/// The fixture's bytes.
func fixture(_ name: String) throws -> Data {
    let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
    return try Data(contentsOf: folder.appending(path: name))
}

/// The fixture's JSON.
func fixture<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    try JSONDecoder().decode(type, from: fixture(name))
}

/// A body that comes in pieces of the given lengths, over and over.
struct PiecewiseBody: BodySource {
    var declaredLength: Int?
    let bytes: [UInt8]
    let pieces: [Int]
    private(set) var position = 0
    private var reads = 0

    init(_ bytes: [UInt8], pieces: [Int] = [.max], declares: Bool = true) {
        self.bytes = bytes
        self.pieces = pieces
        declaredLength = declares ? bytes.count : nil
    }

    mutating func read(upTo limit: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int {
        let count = min(limit, pieces[reads % pieces.count], bytes.count - position)
        buffer.append(contentsOf: bytes[position..<(position + count)])
        position += count
        reads += 1
        return count
    }
}

/// A service that keeps what it was to be trained on and answers as told.
final class RecordingService: DenoisingService {
    let isModelLoaded = true
    private let result: Result<TrainingOutcome, InferenceError>
    private let texts = Mutex<[[UInt8]]>([])

    init(
        _ result: Result<TrainingOutcome, InferenceError> = .success(
            TrainingOutcome(
                loss: 0.5, version: "7", noisyCosine: nil, denoisedCosine: nil, stages: []))
    ) {
        self.result = result
    }

    /// The texts of every run so far.
    var trained: [[UInt8]] { texts.withLock { $0 } }

    func denoise(
        texts: [String], noiseLevel: Float, for caller: Caller
    ) throws(InferenceError) -> DenoisedBatch {
        throw .modelNotLoaded
    }

    func denoise(embeddings: [Float], noiseLevel: Float) throws(InferenceError) -> DenoisedBatch {
        throw .modelNotLoaded
    }

    func train(on text: [UInt8]) throws(InferenceError) -> TrainingOutcome {
        texts.withLock { $0.append(text) }
        return try result.get()
    }
}

/// The answer to an upload.
func upload(
    _ body: [UInt8], contentType: String? = "multipart/form-data; boundary=X",
    pieces: [Int] = [.max], declares: Bool = true, limits: Limits = Limits(),
    to service: any DenoisingService = RecordingService()
) -> Response {
    var source = PiecewiseBody(body, pieces: pieces, declares: declares)
    return Application(service: service, limits: limits).respond(
        to: Request(
            method: "POST", path: "/upload/",
            headers: contentType.map { ["content-type": $0] } ?? [:]),
        body: &source)
}

/// A form of one file.
func form(_ text: [UInt8], fileName: String = "a.txt") -> [UInt8] {
    let head =
        "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(fileName)\"\r\n\r\n"
    return Array(head.utf8) + text + Array("\r\n--X--\r\n".utf8)
}

/// The text of the answer's body.
func text(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }
