import ArgumentParser
import Denoisers
import Inference

/// Tells what a denoiser does to noisy embeddings.
struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare noisy and denoised embeddings of a text's lines with the clean ones.",
        discussion: """
            For a fair judgement give lines the model was not trained on. The table has a line for each \
            noise level; for noisy rows, the best linear filter (Wiener) and the model it tells the mean \
            cosine to the clean rows, the part kept of ten nearest neighbours if all rows are noisy, and if \
            only queries are, and how often the nearest clean row is the row's own (recall@1).

              denoiser evaluate --input other-sentences.txt --noise-level 0.1 --plot curve.svg
            """)

    @OptionGroup var text: TextFiles

    @Option(
        noiseLevels, help: "Standard deviation of the noise added to the embeddings.")
    var noiseLevel: Float = 0.1

    @Option(help: "What the noise follows from. (default: 0)", transform: seedNumber)
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "Draw cosine and neighbours kept over the noise level into this file.",
            valueName: "file.svg"))
    var plot: String?

    @OptionGroup var strength: StrengthSettings
    @OptionGroup(title: "Models") var encoder: EncoderOptions
    @OptionGroup var model: ModelOptions

    func validate() throws {
        if let plot, !plot.hasSuffix(".svg") {
            throw ValidationError(
                "--plot is \"\(plot)\"; a drawing is written to a file that ends in .svg.")
        }
    }

    func run() throws {
        try self.text.require(for: Self.self)
        let text = try self.text.read()
        let embedder = try loadEmbedder(folder: encoder.folder())
        let lines = embedder.lines(of: text.bytes)
        guard !lines.isEmpty else {
            throw CommandFailure.data("\(self.text.names): no text to evaluate on")
        }
        let model = try loadDenoiser(model)
        let clean = try embed(lines, of: text, with: embedder)
        let options = DenoisingOptions(
            strength: strength.strength, pilots: embedder.pilots)
        let result = model.denoiser.compare(
            clean: clean.values, noiseLevel: noiseLevel, seed: seed, options)
        try printLine(
            aligned([
                ("model version", model.version),
                ("kind", model.kind.rawValue),
                ("lines", "\(lines.count)"),
                ("truncated lines", "\(clean.truncated)"),
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
        try judge(distinct(clean.values, lines, of: text), model, options)
    }

    /// Prints the table, and draws it.
    private func judge(
        _ rows: [Float], _ model: DenoiserModel, _ options: DenoisingOptions
    ) throws {
        guard rows.count / embeddingWidth >= Judge.leastRows else {
            try printLine(
                "\nno table: fewer than \(Judge.leastRows) distinct lines have no neighbours to keep"
            )
            if plot != nil { throw CommandFailure.data("too few distinct lines for --plot") }
            return
        }
        let levels = Set(Judge.levels + (plot == nil ? [] : JudgedTable.plotLevels) + [noiseLevel])
        let table = JudgedTable(
            levels: Judge(clean: rows).judge(
                Treatment.all(model.denoiser, options), levels: levels.sorted(), seed: seed))
        try printLine("\n" + table.text)
        if let plot { try write(table.drawing, to: plot) }
    }

    private func embed(
        _ lines: [Range<Int>], of text: TrainingText, with embedder: TextEmbedder
    ) throws -> (values: [Float], truncated: Int) {
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
        return (clean, truncated.count)
    }

    /// The rows of lines that did not come before: of equal rows no one is the nearest.
    private func distinct(
        _ values: [Float], _ lines: [Range<Int>], of text: TrainingText
    ) -> [Float] {
        var seen: Set<ArraySlice<UInt8>> = []
        var rows: [Float] = []
        for (row, line) in lines.enumerated() where seen.insert(text.bytes[line]).inserted {
            rows += values[row * embeddingWidth..<(row + 1) * embeddingWidth]
        }
        return rows
    }

    private func write(_ drawing: String, to path: String) throws(CommandFailure) {
        var file = try OutputFile(path: path)
        try file.append { $0 += drawing.utf8 }
        try file.finish()
    }
}
