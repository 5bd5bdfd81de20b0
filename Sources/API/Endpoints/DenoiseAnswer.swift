internal import Inference
internal import JSON
internal import System

/// The answer of both denoise routes: its body and its headers.
enum DenoiseAnswer {
    /// The answer that `work` gives, with how long the work took, printed with the help of `team`.
    static func measuring(
        _ team: WorkerPair?, _ work: () throws(InferenceError) -> DenoisedBatch
    ) throws(APIError) -> Response {
        let started = ContinuousClock.now
        let batch: DenoisedBatch
        do throws(InferenceError) { batch = try work() } catch { throw APIError(error) }
        let computed = ContinuousClock.now
        let elapsed = started.duration(to: computed) / .milliseconds(1)
        var response = try answer(batch, milliseconds: elapsed, team)
        response.stages = batch.stages + [Stage("print", computed.duration(to: .now))]
        return response
    }

    private static func answer(
        _ batch: DenoisedBatch, milliseconds: Double, _ team: WorkerPair?
    ) throws(APIError) -> Response {
        let rows = batch.values.count / max(batch.columns, 1)
        if let index = batch.values.firstIndex(where: { !$0.isFinite }) {
            throw tooLarge(row: index / batch.columns)
        }
        // A piece is small, so that a slow reader keeps little of what it has read in memory.
        let count = max(1, min(16, rows / rowsOfPiece), rows / (4 * rowsOfPiece))
        let pieces = parallelMap(count, on: team) { piece in
            let mine = chunk(piece, of: count, in: rows)
            var text: [UInt8] = []
            text.reserveCapacity(mine.count * batch.columns * bytesOfFloat + bytesBeside)
            if piece == 0 { text.append(contentsOf: #"{"denoised_embeddings":["#.utf8) }
            print(mine, of: batch, to: &text)
            if piece == count - 1 {
                text.append(contentsOf: #"],"shape":"#.utf8)
                JSONValue.array([.integer(rows), .integer(batch.columns)]).write(into: &text)
                text.append(contentsOf: #","processing_time_ms":"#.utf8)
                appendJSON(milliseconds, to: &text)
                text.append(UInt8(ascii: "}"))
            }
            return text
        }
        return .json(status: 200, pieces: pieces, headers: headers(batch))
    }

    /// Prints `rows`, with a comma before each row but the batch's first.
    private static func print(_ rows: Range<Int>, of batch: DenoisedBatch, to text: inout [UInt8]) {
        for row in rows {
            if row > 0 { text.append(UInt8(ascii: ",")) }
            let columns = (row * batch.columns)..<((row + 1) * batch.columns)
            appendJSON(batch.values.span.extracting(columns), to: &text)
        }
    }

    private static func headers(_ batch: DenoisedBatch) -> [(name: String, value: String)] {
        var headers = [(name: "x-model-version", value: batch.modelVersion)]
        if batch.truncated > 0 { headers.append(("x-truncated", String(batch.truncated))) }
        if let noise = batch.noiseEstimate {
            // To a millionth: the estimate's own error is far above that.
            headers.append(("x-noise-estimate", String((noise * 1e6).rounded() / 1e6)))
        }
        return headers
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

/// A float and its comma take a little less on average.
private let bytesOfFloat = 13

/// Bytes before the first row and behind the last.
private let bytesBeside = 256

/// Fewer rows are not worth waking a thread for.
private let rowsOfPiece = 16
