import Inference

/// How many texts of a command were cut, and where the first of them stands.
struct CutTexts {
    private var count = 0
    private var first: TextPlace?

    /// Counts the text at `place`; texts come in order.
    mutating func add(_ place: TextPlace) {
        count += 1
        first = first ?? place
    }

    /// Counts those of a block.
    mutating func add(_ truncated: TruncatedTexts, of block: TextBlock) {
        count += truncated.count
        first = first ?? truncated.first.map { block.places[$0] }
    }

    /// Says on standard error how many, and which the first is.
    func tell(limit: Int) {
        if let first { tellCut(count, limit: limit, first: "\(first)") }
    }
}

/// Says on standard error how many texts were cut, and which the first of them is.
func tell(_ truncated: TruncatedTexts, limit: Int, place: (Int) -> String) {
    if let first = truncated.first {
        tellCut(truncated.count, limit: limit, first: place(first))
    }
}

private func tellCut(_ count: Int, limit: Int, first: String) {
    let texts = count == 1 ? "1 text was" : "\(count) texts were"
    let which = count == 1 ? "" : "the first is "
    writeStandardError("denoiser: \(texts) cut at \(limit) tokens: \(which)\(first)\n")
}
