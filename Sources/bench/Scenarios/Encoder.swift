import Encoder
import Inference
import Tensors
import System

extension Scenario {
    /// One text at a time, as an idle service meets it.
    static let encoder = Scenario(
        name: "encoder",
        abstract: "one text alone, by its tokens, on one core and on a pair of workers (ms)"
    ) { settings, stopwatch in
        let encoder = try settings.loadedEncoder()
        let workers = availableCores() > 1 ? WorkerPair.shared : nil
        var figures: [Figure] = []
        for length in [4, 8, 16, 32, 64, 128, 256] {
            let alone = milliseconds(encoder, sequences: 1, of: length, nil, stopwatch)
            figures.append(Figure("length_\(length)_one_core", "ms", alone))
            guard let workers else { continue }
            let shared = milliseconds(encoder, sequences: 1, of: length, workers, stopwatch)
            figures.append(Figure("length_\(length)_team", "ms", shared))
        }
        return figures
    }

    /// Batches, as a busy service meets them.
    static let batches = Scenario(
        name: "batches", abstract: "batches by their sequences and length, on one core (tokens/s)"
    ) { settings, stopwatch in
        let encoder = try settings.loadedEncoder()
        var figures: [Figure] = []
        for length in [8, 32, 128, 256] {
            for tokens in [256, 512, 1024, 2048] {
                let sequences = tokens / length
                let spent = milliseconds(encoder, sequences: sequences, of: length, nil, stopwatch)
                figures.append(
                    Figure(
                        "sequences_\(sequences)_length_\(length)", "tokens/s",
                        of: Double(tokens) * 1000, in: spent))
            }
        }
        return figures
    }

    private static func milliseconds(
        _ encoder: SentenceEncoder, sequences: Int, of length: Int, _ workers: WorkerPair?,
        _ stopwatch: Stopwatch
    ) -> [Double] {
        var batch = PackedBatch()
        for sequence in 0..<sequences {
            batch.append((0..<length).map { Int32(1000 + (sequence * 31 + $0 * 17) % 20_000) })
        }
        var workspace = encoder.makeWorkspace(tokens: batch.tokens)
        var rows = Matrix(rows: sequences, columns: encoder.configuration.hidden)
        var output = rows.mutableSpan
        return stopwatch.seconds {
            encoder.encode(batch, workspace: &workspace, workers: workers, into: &output)
        }.map { $0 * 1000 }
    }
}
