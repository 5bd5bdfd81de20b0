internal import Inference
internal import System

/// Bytes that a float in JSON and its comma take at most on average.
let bytesOfFloat = 13

extension EmbeddingBatch {
    /// Rows of the batch.
    var rows: Int { values.count / max(columns, 1) }

    /// The first row with a value that is not finite; nil if there is none.
    var rowNotFinite: Int? {
        values.firstIndex { !$0.isFinite }.map { $0 / columns }
    }

    /// What clients are told of the batch in header fields.
    var headers: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let modelVersion { headers.append(("x-model-version", modelVersion)) }
        if truncated > 0 { headers.append(("x-truncated", String(truncated))) }
        if let noiseEstimate {
            // To a millionth: the estimate's own error is far above that.
            headers.append(("x-noise-estimate", String((noiseEstimate * 1e6).rounded() / 1e6)))
        }
        return headers
    }

    /// The rows as text, in pieces that follow one another, printed with the help of `team`.
    ///
    /// - Parameters:
    ///   - beginning: comes before the first row; commas come between rows.
    ///   - end: comes behind the last row.
    ///   - bytesOfValue: bytes that a value takes at most on average.
    ///   - print: appends the row with a number to a text.
    func printed(
        from beginning: String, to end: [UInt8], on team: WorkerPair?, bytesOfValue: Int,
        _ print: @escaping @Sendable (_ number: Int, Span<Float>, _ text: inout [UInt8]) -> Void
    ) -> [[UInt8]] {
        let rows = rows
        // A piece is small, so that a slow reader keeps little of what it has read in memory.
        let count = max(1, min(16, rows / rowsOfPiece), rows / (4 * rowsOfPiece))
        return parallelMap(count, on: team) { piece in
            let mine = chunk(piece, of: count, in: rows)
            var text: [UInt8] = []
            text.reserveCapacity(mine.count * columns * bytesOfValue + bytesBeside)
            if piece == 0 { text.append(contentsOf: beginning.utf8) }
            for row in mine {
                if row > 0 { text.append(UInt8(ascii: ",")) }
                let place = (row * columns)..<((row + 1) * columns)
                print(row, values.span.extracting(place), &text)
            }
            if piece == count - 1 { text.append(contentsOf: end) }
            return text
        }
    }
}

/// Bytes before the first row and behind the last.
private let bytesBeside = 256

/// Fewer rows are not worth waking a thread for.
private let rowsOfPiece = 16
