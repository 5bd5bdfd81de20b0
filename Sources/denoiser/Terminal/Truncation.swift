import Inference

/// Says on standard error how many texts were cut, and where the first of them stands.
func tell(_ truncated: TruncatedTexts, limit: Int, place: (Int) -> String) {
    guard let first = truncated.first else { return }
    let texts = truncated.count == 1 ? "1 text was" : "\(truncated.count) texts were"
    let which = truncated.count == 1 ? "" : "the first is "
    writeStandardError(
        "denoiser: \(texts) cut at \(limit) tokens: \(which)\(place(first))\n")
}
