import ArgumentParser
import Denoisers
import Inference

/// Tells what a denoiser does to noisy embeddings.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare noisy and denoised embeddings of a text's lines with the clean ones.",
        discussion: """
            For a fair judgement give lines the model was not trained on.

              denoiser evaluate --input other-sentences.txt --noise-level 0.1
            """)

    @OptionGroup var text: TextFiles

    @Option(
        noiseLevels, help: "Standard deviation of the noise added to the embeddings.")
    var noiseLevel: Float = 0.1

    @Option(help: "What the noise follows from. (default: 0)", transform: seedNumber)
    var seed: UInt64 = 0

    @OptionGroup(title: "Models") var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions

    func run() throws {
        let text = try self.text.read()
        let embedder = try loadEmbedder(folder: encoder.folder())
        let lines = embedder.lines(of: text.bytes)
        guard !lines.isEmpty else {
            throw CommandFailure.data("\(self.text.names): no text to evaluate on")
        }
        let denoiser = try loadDenoiser(model)
        var clean: [Float] = []
        var truncated = TruncatedTexts()
        var bar = ProgressBar("Embedding")
        defer { bar.clear() }
        for start in stride(from: 0, to: lines.count, by: 1024) {
            let end = min(start + 1024, lines.count)
            let block = try embedder.embed(
                lines[start..<end].map { String(decoding: text.bytes[$0], as: UTF8.self) })
            clean += block.values
            truncated.add(block.truncated, from: start)
            bar.show(end, of: lines.count)
        }
        bar.clear()
        tell(truncated, limit: embedder.tokenLimit) { index in
            text.place(ofByte: lines[index].lowerBound)
        }
        let result = denoiser.denoiser.compare(
            clean: clean, noiseLevel: noiseLevel, seed: seed)
        try printLine(
            aligned([
                ("model version", denoiser.version),
                ("lines", "\(lines.count)"),
                ("truncated lines", "\(truncated.count)"),
                ("noise level", "\(noiseLevel)"),
                ("MSE original, noisy", "\(result.noisyError)"),
                ("MSE original, denoised", "\(result.denoisedError)"),
                (
                    "improvement",
                    "\(rounded((1 - result.denoisedError / result.noisyError) * 100)) %"
                ),
                ("cosine original, noisy", "\(result.noisyCosine)"),
                ("cosine original, denoised", "\(result.denoisedCosine)"),
                ("recall@1 noisy", "\(result.noisyRecall)"),
                ("recall@1 denoised", "\(result.denoisedRecall)"),
            ]))
    }
}
