internal import Inference
internal import JSON
internal import System

/// The answer of both denoise routes: its body and its headers.
enum DenoiseAnswer {
    /// The answer that `work` gives, with how long the work took, printed with the help of `team`.
    static func measuring(
        _ team: WorkerPair?, _ work: () throws(InferenceError) -> EmbeddingBatch
    ) throws(APIError) -> Response {
        let started = ContinuousClock.now
        let batch: EmbeddingBatch
        do throws(InferenceError) { batch = try work() } catch { throw APIError(error) }
        let computed = ContinuousClock.now
        let elapsed = started.duration(to: computed) / .milliseconds(1)
        var response = try answer(batch, milliseconds: elapsed, team)
        response.stages = batch.stages + [Stage("print", computed.duration(to: .now))]
        return response
    }

    private static func answer(
        _ batch: EmbeddingBatch, milliseconds: Double, _ team: WorkerPair?
    ) throws(APIError) -> Response {
        if let row = batch.rowNotFinite { throw tooLarge(row: row) }
        var end = Array(#"],"shape":"#.utf8)
        JSONValue.array([.integer(batch.rows), .integer(batch.columns)]).write(into: &end)
        end.append(contentsOf: #","processing_time_ms":"#.utf8)
        appendJSON(milliseconds, to: &end)
        end.append(UInt8(ascii: "}"))
        let pieces = batch.printed(
            from: #"{"denoised_embeddings":["#, to: end, on: team, bytesOfValue: bytesOfFloat
        ) { _, row, text in
            appendJSON(row, to: &text)
        }
        return .json(status: 200, pieces: pieces, headers: batch.headers)
    }

    /// Values near the end of single precision make sums that JSON cannot hold.
    private static func tooLarge(row: Int) -> APIError {
        let location: [LocationPart] = ["body", .name(EmbeddingReading.name), .index(row)]
        return APIError([ValidationIssue(type: .tooLarge, location: location)])
    }

    static let schema = Schema(
        name: "DenoiseResponse",
        text: #"""
            {
              "properties": {
                "denoised_embeddings": {
                  "items": {"items": {"type": "number"}, "type": "array"},
                  "type": "array",
                  "title": "Denoised Embeddings",
                  "description": "去噪後的嵌入向量"
                },
                "shape": {
                  "items": {"type": "integer"},
                  "type": "array",
                  "title": "Shape",
                  "description": "去噪後嵌入向量的形狀"
                },
                "processing_time_ms": {
                  "type": "number",
                  "title": "Processing Time Ms",
                  "description": "處理時間（毫秒）"
                }
              },
              "type": "object",
              "required": ["denoised_embeddings", "shape", "processing_time_ms"],
              "title": "DenoiseResponse"
            }
            """#)
}
