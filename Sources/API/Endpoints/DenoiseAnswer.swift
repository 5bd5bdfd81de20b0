internal import Inference
internal import JSON
internal import System

/// The body both denoise routes answer with, and what stands beside it in headers.
enum DenoiseAnswer {
    /// The answer that `work` gives, with how long it took, printed with the help of `team`.
    static func measuring(
        _ team: ComputeTeam?, _ work: () throws(InferenceError) -> DenoisedBatch
    ) -> Response {
        let started = ContinuousClock.now
        do {
            let batch = try work()
            let computed = ContinuousClock.now
            let elapsed = started.duration(to: computed) / .milliseconds(1)
            var response = answer(batch, milliseconds: elapsed, team)
            response.stages = batch.stages + [Stage("print", computed.duration(to: .now))]
            return response
        } catch {
            return .failure(error)
        }
    }

    private static func answer(
        _ batch: DenoisedBatch, milliseconds: Double, _ team: ComputeTeam?
    ) -> Response {
        let rows = batch.values.count / max(batch.columns, 1)
        if let place = batch.values.firstIndex(where: { !$0.isFinite }) {
            return tooLarge(row: place / batch.columns)
        }
        // Pieces small enough for a slow reader to hold little of what it has read.
        let count = max(1, min(16, rows / rowsOfPiece), rows / (4 * rowsOfPiece))
        let pieces = inPieces(count, team) { piece in
            let mine = part(piece, of: count, rows)
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

    /// Prints `rows`, each but the first of the batch with a comma before it.
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
        return headers
    }

    /// Only values near the end of single precision make sums that JSON cannot hold.
    private static func tooLarge(row: Int) -> Response {
        var issues = IssueList(limit: 1)
        issues.add(
            .tooLarge, at: ["body", .name(EmbeddingReading.name), .index(row)]
        ) { $0.append(contentsOf: "null".utf8) }
        return issues.response()
    }
}

/// A float and its comma take 12.2 bytes on average.
private let bytesOfFloat = 13

/// What stands before the first row and behind the last.
private let bytesBeside = 256

/// Rows that are worth waking a thread for: they take about half a millisecond to print.
private let rowsOfPiece = 16
