internal import Synchronization

/// One caller's sequences on their way through the encoder; rows come back in any order.
final class EmbeddingJob: Sendable {
    /// Token ids of each sequence.
    let sequences: [[Int32]]

    /// Elements in a row of the result.
    let columns: Int

    /// Work that only fills what nobody waits for: a training run's texts.
    let isBackground: Bool

    private let progress: Monitor<Progress>

    private struct Progress {
        var values: [Float]
        var missing: Int
    }

    init(sequences: [[Int32]], columns: Int, isBackground: Bool) {
        self.sequences = sequences
        self.columns = columns
        self.isBackground = isBackground
        progress = Monitor(
            Progress(
                values: Array(repeating: 0, count: sequences.count * columns),
                missing: sequences.count))
    }

    /// Stores the row of sequence `index`.
    func finish(_ index: Int, row: Span<Float>) {
        let isLast = progress.withLock { progress in
            let start = index * columns
            for i in row.indices { progress.values[start + i] = row[i] }
            progress.missing -= 1
            return progress.missing == 0
        }
        if isLast { progress.wakeAll() }
    }

    /// Waits for the last row; the result is [sequences, columns].
    func result() -> [Float] {
        progress.wait { progress in
            guard progress.missing == 0 else { return nil }
            var values: [Float] = []
            swap(&values, &progress.values)
            return values
        }
    }

    /// Sequences whose row is stored.
    var finished: Int { progress.withLock { sequences.count - $0.missing } }
}
