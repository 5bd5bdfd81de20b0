import ArgumentParser
import Inference
import Tokenizer

/// Prints token ids.
struct Tokenize: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the token ids of texts, one JSON list a line.",
        discussion: """
            A text is cut as the encoder cuts it: all-MiniLM-L6-v2 at 256 tokens. It is a filter as \
            `denoiser embed` is.

              denoiser tokenize "hello world"
              denoiser tokenize -- "-5 degrees"
              denoiser tokenize --input texts.txt
            """)

    @OptionGroup var input: TextInput
    @OptionGroup var encoder: EncoderOptions

    func run() throws {
        let (tokenizer, limit) = try openTokenizer(folder: encoder.folder())
        var output = try OutputFile(path: nil)
        var texts = try input.open()
        var cut = CutTexts()
        while let block = texts.next() {
            for (text, place) in zip(block.texts, block.places) {
                let encoding = tokenizer.encode(text, limit: limit)
                if encoding.isTruncated { cut.add(place) }
                try output.append { append(encoding.ids, to: &$0) }
            }
            try output.flush()
            if let fault = block.fault { throw fault }
        }
        try output.finish()
        cut.tell(limit: limit)
    }
}

/// Appends a JSON list and a line's end.
private func append(_ ids: [Int32], to bytes: inout [UInt8]) {
    var separator = UInt8(ascii: "[")
    for id in ids {
        bytes.append(separator)
        bytes += id.description.utf8
        separator = UInt8(ascii: ",")
    }
    bytes += "]\n".utf8
}
