/// The tokens BERT gives a meaning of their own.
enum SpecialToken: String, CaseIterable {
    case padding = "[PAD]"
    case unknown = "[UNK]"
    case start = "[CLS]"
    case end = "[SEP]"
    case mask = "[MASK]"

    /// Whether `text` begins with the token as it is written.
    func begins(_ text: borrowing Span<UInt8>) -> Bool {
        let token = rawValue.utf8
        guard text.count >= token.count else { return false }
        for (index, byte) in token.enumerated() where text[index] != byte { return false }
        return true
    }
}
