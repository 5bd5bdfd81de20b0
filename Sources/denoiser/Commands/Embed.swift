import ArgumentParser
import Denoisers
import Inference
import Kernels

/// Embeds texts without denoising.
struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the sentence embeddings of texts, one JSON array of 384 numbers a line.",
        discussion: """
              denoiser embed "hello world"
              denoiser embed -- "-5 degrees"
              denoiser embed --input texts.txt --output vectors.npy
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var output: VectorOutput
    @OptionGroup var encoder: EncoderOptions

    func run() throws {
        let texts = try input.read()
        let embedder = try loadEmbedder(folder: encoder.folder())
        try writeVectors(of: texts, with: embedder, to: output, label: "Embedding") { $0 }
    }
}

/// Embeds texts and denoises the embeddings.
struct Denoise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the denoised embeddings of texts, one JSON array of 384 numbers a line.",
        discussion: """
              denoiser denoise "hello world"
              denoiser denoise -- "-5 degrees"
              denoiser denoise --noise-level 0.1 --seed 1 --input texts.txt --output vectors.npy
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var output: VectorOutput

    @Option(
        noiseLevels,
        help: "Standard deviation of Gaussian noise added to the embeddings first; 0 adds none.")
    var noiseLevel: Float = 0

    @Option(
        help: "What that noise follows from (default: another each run).", transform: seedNumber)
    var seed: UInt64?

    @OptionGroup var noise: NoiseSettings
    @OptionGroup var strength: StrengthSettings
    @OptionGroup var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions

    func run() throws {
        let texts = try input.read()
        let denoiser = try loadDenoiser(model).denoiser
        let embedder = try loadEmbedder(folder: encoder.folder())
        let options = DenoisingOptions(
            noise: noise.noise, strength: strength.strength, pilots: embedder.pilots)
        // One stream for all blocks: a text's noise follows from the seed and its place alone.
        var added = GaussianNoise(seed: seed ?? .random(in: .min ... .max))
        try writeVectors(of: texts, with: embedder, to: output, label: "Denoising") { clean in
            var noisy = clean
            if noiseLevel > 0 {
                var span = noisy.mutableSpan
                added.add(to: clean.span, deviation: noiseLevel, into: &span)
            }
            return denoiser.denoise(noisy, options, team: nil).values
        }
    }
}

/// Prints how alike two texts are after denoising.
struct Similarity: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the cosine of two texts' denoised embeddings, from -1 to 1.",
        discussion: """
            An adaptive denoiser leaves embeddings of texts as they are, because they have no noise.
            A text that begins with - stands behind -- .

              denoiser similarity "a cat sleeps" "a kitten naps"
              denoiser similarity -- "-5 degrees" "five below zero"
            """)

    @Argument(help: "One text.") var first: String
    @Argument(help: "Another.") var second: String
    @OptionGroup var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions

    func run() throws {
        let denoiser = try loadDenoiser(model)
        let embedder = try loadEmbedder(folder: encoder.folder())
        if let name = fileNamed(in: [first, second]) {
            log("\"\(name)\" is taken as a text: similarity reads no files")
        }
        let embedded = try embedder.embed([first, second])
        tell(embedded.truncated, limit: embedder.tokenLimit) { "text \($0 + 1)" }
        let vectors = denoiser.denoise(embedded.values, noiseLevel: 0)
        let (first, second) = (0..<embedder.columns, embedder.columns..<vectors.count)
        try printLine("\(cosine(vectors.span.extracting(first), vectors.span.extracting(second)))")
    }
}

/// Embeds the texts of `input` block by block, passes each block through `transform` and writes it.
private func writeVectors(
    of input: InputTexts, with embedder: TextEmbedder, to output: VectorOutput, label: String,
    transform: ([Float]) -> [Float]
) throws {
    let texts = input.texts
    var writer = try output.open(rows: texts.count, columns: embedder.columns)
    var bar = ProgressBar(label, isHidden: writer.isTerminal)
    // Errors too stand on a line of their own.
    defer { bar.clear() }
    var truncated = TruncatedTexts()
    let block = 1024
    for start in stride(from: 0, to: texts.count, by: block) {
        let end = min(start + block, texts.count)
        let embedded = try embedder.embed(Array(texts[start..<end]))
        truncated.add(embedded.truncated, from: start)
        try writer.write(transform(embedded.values))
        bar.show(end, of: texts.count)
    }
    try writer.finish()
    bar.clear()
    tell(truncated, limit: embedder.tokenLimit, place: input.place)
}
