/// Cuts words into the pieces a vocabulary has.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    let unknown: Int32

    /// Appends the ids of the word's pieces, the longest first; `[UNK]` alone if any part has none.
    func append(_ word: borrowing Word, to ids: inout [Int32]) {
        let before = ids.count
        guard !word.isTooLong else { return ids.append(unknown) }
        var start = 0
        while start < word.bytes.count {
            guard let (id, end) = longest(of: word, from: start) else {
                ids.removeLast(ids.count - before)
                ids.append(unknown)
                return
            }
            ids.append(id)
            start = end
        }
    }

    /// The longest token the word has from `start` on, and where it ends.
    private func longest(of word: borrowing Word, from start: Int) -> (id: Int32, end: Int)? {
        let isNext = start > 0
        let bytes = word.bytes
        let limit = start + (isNext ? vocabulary.longestNext : vocabulary.longestFirst)
        var end = min(limit, bytes.count)
        var hash = word.hash
        if end - start < bytes.count {
            hash = isNext ? .continuation : .empty
            for index in start..<end { hash.append(bytes[index]) }
        }
        while end > start {
            // Tokens are whole UTF-8: one that ended inside a scalar would not be found anyway.
            if end == bytes.count || !UTF8.isContinuation(bytes[end]) {
                let key = bytes.extracting(start..<end)
                if let id = vocabulary.id(of: key, hash: hash, isNext: isNext) { return (id, end) }
            }
            end -= 1
            hash.removeLast(bytes[end])
        }
        return nil
    }
}
