/// Why a vocabulary cannot be used; lines count from 1.
public enum TokenizerError: Error, Equatable, CustomStringConvertible {
    /// The line is not UTF-8.
    case notUTF8(line: Int)
    /// The line holds no token.
    case emptyLine(Int)
    /// The line holds a token that an earlier line has.
    case repeatedToken(line: Int, earlier: Int)
    /// A token the tokenizer cannot do without is missing.
    case missingToken(String)
    /// The file has more than `limit` lines.
    case tooManyTokens(limit: Int)
    /// The file has more than `limit` bytes.
    case tooLarge(limit: Int)

    public var description: String {
        switch self {
        case .notUTF8(let line): "vocabulary line \(line) is not UTF-8"
        case .emptyLine(let line): "vocabulary line \(line) is empty"
        case .repeatedToken(let line, let earlier):
            "vocabulary line \(line) repeats the token of line \(earlier)"
        case .missingToken(let token): "the vocabulary has no token \(token)"
        case .tooManyTokens(let limit): "the vocabulary has more than \(limit) tokens"
        case .tooLarge(let limit): "the vocabulary has more than \(limit) bytes"
        }
    }
}
