import Glibc

@testable import Tokenizer

/// Texts, and vocabularies: a text gives the pieces that a plain search gives, a limit cuts them
/// and changes nothing else, and a vocabulary of any bytes is refused or works.
func probeTokenizer(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    try compare(text, try small.get(), smallVocabulary)
    if let (tokenizer, vocabulary) = try large.get() { try compare(text, tokenizer, vocabulary) }

    let special = SpecialToken.allCases.map { $0.rawValue + "\n" }.joined()
    let lines = Array(special.utf8) + bytes
    if let tokenizer = try? WordPieceTokenizer(vocabulary: lines) {
        try compare(text, tokenizer, lines)
    }
    _ = try? WordPieceTokenizer(vocabulary: bytes)
}

private let smallVocabulary = Array(
    """
    [PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\nab\nabc\n##a\n##b\n##c\n##ab\n##bc\n##ca\ne\n##e
    the\n##s\n##ing\n0\n1\n##0\n##1\n.\n,\n[\n]\n中\n文\nß\nι\nσ\n가\nᄀ\n##ᅡ\ń\n##́
    """.utf8)
private let small = Result { try WordPieceTokenizer(vocabulary: smallVocabulary) }

/// The published vocabulary, where the tests' copy is at hand.
private let large = Result { () -> (WordPieceTokenizer, [UInt8])? in
    let path = #filePath.replacing(
        "Fuzz/Probes/TokenizerProbe.swift", with: "TokenizerTests/Fixtures/vocab.txt")
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
        count = unsafe max(0, read(descriptor, buffer.baseAddress, buffer.count))
    }
    return (try WordPieceTokenizer(vocabulary: bytes), bytes)
}

private func compare(
    _ text: String, _ tokenizer: WordPieceTokenizer, _ vocabulary: [UInt8]
) throws {
    let all = tokenizer.encode(text, limit: 1 << 20)
    try require(!all.isTruncated, "cut at a million")
    try require(all.ids.allSatisfy { 0..<tokenizer.count ~= Int($0) }, "an id beyond the last")
    for limit in [2, 3, 17, 256] {
        let cut = tokenizer.encode(text, limit: limit)
        try require(cut.isTruncated == (all.ids.count > limit), "\(limit): cut or not")
        let expected = all.ids.dropLast().prefix(limit - 1) + all.ids.suffix(1)
        try require(cut.ids.elementsEqual(expected), "\(limit): \(cut.ids), not \(all.ids)")
    }
    let plain = try plainPieces(text, vocabulary)
    try require(all.ids.dropFirst().dropLast().elementsEqual(plain), "\(all.ids), not \(plain)")
}

/// The pieces of all words, the longest token first, looked up in a dictionary.
private func plainPieces(_ text: String, _ bytes: [UInt8]) throws -> [Int32] {
    let numbers = tokenNumbers(bytes)
    guard let unknown = numbers[Array("[UNK]".utf8)] else { return [] }
    var ids: [Int32] = []
    var words = Words(of: text.utf8Span.span)
    while words.next() {
        let isTooLong = words.word.isTooLong
        let word = copy(of: words.word.bytes)
        var pieces: [Int32] = []
        var start = 0
        while start < word.count, !isTooLong {
            let prefix = start > 0 ? Array("##".utf8) : []
            let end = (start + 1...word.count).last { numbers[prefix + word[start..<$0]] != nil }
            guard let end, let id = numbers[prefix + word[start..<end]] else {
                pieces = []
                break
            }
            pieces.append(id)
            start = end
        }
        ids += pieces.isEmpty ? [unknown] : pieces
    }
    return ids
}

private func copy(of span: Span<UInt8>) -> [UInt8] {
    span.indices.map { span[$0] }
}

/// Tokens with their numbers, those of `vocab.txt` kept from call to call.
private func tokenNumbers(_ bytes: [UInt8]) -> [[UInt8]: Int32] {
    if bytes.count > 100_000 { return largeNumbers }
    return numbers(bytes)
}

private let largeNumbers = numbers((try? large.get())?.1 ?? [])

private func numbers(_ bytes: [UInt8]) -> [[UInt8]: Int32] {
    var numbers: [[UInt8]: Int32] = [:]
    for (number, line) in bytes.split(
        separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).enumerated() {
        numbers[line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : Array(line)] =
            Int32(number)
    }
    return numbers
}
