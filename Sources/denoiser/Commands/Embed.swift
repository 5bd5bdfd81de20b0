import ArgumentParser
import Denoisers
import Inference
import Kernels

/// Embeds texts without denoising.
struct Embed: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the sentence embeddings of texts, one JSON array of 384 numbers a line.",
        discussion: """
            It is a filter: each line is answered as soon as it is read, in order, in memory that does not \
            grow with their number. Lines that wait are embedded together. A line that is no text ends it: \
            those before it are answered, and one line on standard error names it.

              denoiser embed "hello world"
              denoiser embed -- "-5 degrees"
              denoiser embed --input texts.txt --output vectors.npy
              tail -f log | denoiser embed --format base64
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var output: VectorOutput
    @OptionGroup var encoder: EncoderOptions

    func run() throws {
        let texts = try input.open()
        let embedder = try loadEmbedder(folder: encoder.folder())
        try writeVectors(of: texts, with: embedder, to: output, label: "Embedding") { $0 }
    }
}

/// Embeds texts and denoises the embeddings.
struct Denoise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the denoised embeddings of texts, one JSON array of 384 numbers a line.",
        discussion: """
            It is a filter as `denoiser embed` is. An adaptive denoiser looks at noisy vectors together, at \
            up to 1,024 that are there at once; with --seed or a number for --noise it waits for as many, so \
            that a run can be repeated.

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
        let texts = try input.open()
        let denoiser = try loadDenoiser(model).denoiser
        let embedder = try loadEmbedder(folder: encoder.folder())
        let options = DenoisingOptions(
            noise: noise.noise, strength: strength.strength, pilots: embedder.pilots)
        let isRepeatable = noiseLevel > 0 ? seed != nil : noise.noise != .automatic
        // One stream for all blocks: a text's noise follows from the seed and its place alone.
        var added = GaussianNoise(seed: seed ?? .random(in: .min ... .max))
        try writeVectors(
            of: texts, inFullBlocks: isRepeatable && denoiser.kind == .adaptive, with: embedder,
            to: output, label: "Denoising"
        ) { clean in
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

/// Embeds `texts` block by block, passes each block through `transform` and writes it.
///
/// - Parameter isFull: whether a block waits for all texts that it takes, as far as they come.
private func writeVectors(
    of texts: consuming TextReader, inFullBlocks isFull: Bool = false,
    with embedder: TextEmbedder, to output: VectorOutput, label: String,
    transform: ([Float]) -> [Float]
) throws {
    var writer = try output.open(columns: embedder.columns)
    var bar = ProgressBar(label, isHidden: writer.isTerminal || texts.isTerminal)
    // Errors too stand on a line of their own.
    defer { bar.clear() }
    let known = try writer.needsCount ? texts.certainCount() : texts.countOfArguments
    let total = known ?? (bar.isHidden ? nil : texts.count())
    try writer.begin(rows: known)
    var cut = CutTexts()
    var done = 0
    while let block = texts.next(full: isFull) {
        let embedded = try embedder.embed(block.texts)
        cut.add(embedded.truncated, of: block)
        done += block.texts.count
        try writer.write(transform(embedded.values))
        if let fault = block.fault {
            try writer.giveUp()
            throw fault
        }
        try writer.flush()
        bar.show(done, of: total)
    }
    try writer.finish()
    bar.clear()
    cut.tell(limit: embedder.tokenLimit)
}
