import ArgumentParser
import Inference
import Tokenizer

/// Prints token ids.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the token ids of texts, one JSON list a line.",
        discussion: """
            A text is cut as the encoder cuts it: all-MiniLM-L6-v2 at 256 tokens.

              denoiser tokenize "hello world"
              denoiser tokenize -- "-5 degrees"
              denoiser tokenize --input texts.txt
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var encoder: EncoderOptions

    func run() throws {
        let (tokenizer, limit) = try openTokenizer(folder: encoder.folder())
        var output = try OutputFile(path: nil)
        let input = try input.read()
        var truncated = TruncatedTexts()
        for (index, text) in input.texts.enumerated() {
            let encoding = tokenizer.encode(text, limit: limit)
            if encoding.isTruncated { truncated.add(index) }
            let ids = encoding.ids
            try output.append { bytes in
                bytes += "[\(ids.map(\.description).joined(separator: ","))]\n".utf8
            }
        }
        try output.finish()
        tell(truncated, limit: limit, place: input.place)
    }
}
