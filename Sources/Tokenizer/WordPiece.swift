/// Cuts words into the pieces a vocabulary has.
struct WordPiece: Sendable {
    let vocabulary: Vocabulary
    let unknown: Int32

    /// Appends the ids of the word's pieces, the longest first; `[UNK]` alone if any part has none.
    func append(_ word: Word, to ids: inout [Int32]) {
        let before = ids.count
        guard !word.isTooLong else { return ids.append(unknown) }
        var start = 0
        while start < word.count {
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
    private func longest(of word: Word, from start: Int) -> (id: Int32, end: Int)? {
        let isNext = start > 0
        let bytes = word.bytes
        var end = start + (isNext ? vocabulary.longestNext : vocabulary.longestFirst)
        var hash = word.hash
        if isNext || end < word.count {
            end = min(end, word.count)
            hash = isNext ? .continuation : .empty
            for index in start..<end { hash.append(bytes[index]) }
        } else {
            end = word.count
        }
        while end > start {
            // A token ends where a scalar ends.
            if end == word.count || !UTF8.isContinuation(bytes[end]) {
                let key = bytes.extracting(start..<end)
                if let id = vocabulary.id(of: key, hash: hash, isNext: isNext) { return (id, end) }
            }
            end -= 1
            hash.removeLast(bytes[end])
        }
        return nil
    }
}
