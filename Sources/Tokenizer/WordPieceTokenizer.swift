/// BERT tokenisation: text → word piece ids, as Hugging Face `tokenizers` gives them.
public struct WordPieceTokenizer: Sendable {
    private let pieces: WordPiece
    private let rules: TextRules
    private let start: Int32
    private let end: Int32

    /// Reads the bytes of a `vocab.txt`, which holds one token a line.
    ///
    /// - Throws: an error that names the first line that is not UTF-8, is empty or repeats a token,
    ///   or the special token (`[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]`) that is missing.
    public init(
        vocabulary bytes: [UInt8], rules: TextRules = .uncased
    ) throws(TokenizerError) {
        self.rules = rules
        let vocabulary = try Vocabulary(bytes)
        func id(_ token: SpecialToken) throws(TokenizerError) -> Int32 {
            guard let id = vocabulary.id(of: token.rawValue) else {
                throw .missingToken(token.rawValue)
            }
            return id
        }
        for token in SpecialToken.allCases { _ = try id(token) }
        pieces = WordPiece(vocabulary: vocabulary, unknown: try id(.unknown))
        start = try id(.start)
        end = try id(.end)
    }

    /// The number of tokens; every id is less.
    public var count: Int { pieces.vocabulary.count }

    /// The token with the id, as it stands in `vocab.txt`; `id` from 0 and less than `count`.
    public func token(_ id: Int32) -> String {
        precondition(0..<count ~= Int(id), "token \(id) of \(count)")
        return pieces.vocabulary.token(Int(id))
    }

    /// Whether a text has no token between `[CLS]` and `[SEP]`; reads no further than its first
    /// word.
    public func isBlank(_ text: borrowing UTF8Span) -> Bool {
        var words = Words(of: text.span, rules)
        return !words.next()
    }

    /// The ids of a text between those of `[CLS]` and `[SEP]`, at most `limit` (2 or more) in all.
    ///
    /// Stops reading once the limit is full and it is known whether anything is left.
    public func encode(_ text: String, limit: Int = 256) -> Encoding {
        encode(text.utf8Span, limit: limit)
    }

    /// The ids of a text between those of `[CLS]` and `[SEP]`, at most `limit` (2 or more) in all.
    public func encode(_ text: borrowing UTF8Span, limit: Int = 256) -> Encoding {
        precondition(limit >= 2, "a limit of \(limit) ids")
        var ids: [Int32] = []
        ids.reserveCapacity(min(limit, text.count + 2))
        ids.append(start)
        var words = Words(of: text.span, rules)
        var isTruncated = false
        while !isTruncated, words.next() {
            pieces.append(words.word, to: &ids)
            isTruncated = ids.count >= limit
        }
        if isTruncated { ids.removeLast(ids.count - limit + 1) }
        ids.append(end)
        return Encoding(ids: ids, isTruncated: isTruncated)
    }
}
