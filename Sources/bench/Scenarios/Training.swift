import Denoisers

extension Scenario {
    /// Steps of the trainer as `denoiser train` runs it, without embedding.
    static let training = Scenario(
        name: "training",
        abstract:
            "optimiser steps on batches of 32 out of 2,000 lines, on one core and on two (µs a step)"
    ) { _, stopwatch in
        let lines = 2000
        var embeddings = Numbers.array(lines * embeddingWidth)
        for row in 0..<lines {
            let range = row * embeddingWidth..<(row + 1) * embeddingWidth
            let length = embeddings[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
            for i in range { embeddings[i] /= length }
        }
        var options = TrainingOptions()
        options.epochs = 20
        return try [1, 2].map { threads in
            let microseconds = try (0..<stopwatch.rounds).map { _ in
                var trainer = AutoencoderTrainer(
                    embeddings: embeddings, lines: Array(0..<Int32(lines)), options: options,
                    threads: threads)
                let report = try trainer.run().1
                return report.seconds * 1e6 / Double(report.steps)
            }
            return Figure(threads == 1 ? "step on one core" : "step on two", "µs", microseconds)
        }
    }
}
