/// Reads the words of a text as BERT does, one at a time.
///
/// Under the uncased rules, in this order: control characters are dropped, ideographs spaced,
/// scalars decomposed (NFD), nonspacing marks dropped, letters lowered, and the rest split on space
/// and punctuation. `[CLS]`, `[SEP]`, `[PAD]`, `[UNK]` and `[MASK]` in the text are words.
struct Words: ~Copyable, ~Escapable {
    private let text: Span<UInt8>
    private let rules: TextRules
    private let isUncased: Bool
    private var position = 0

    /// The word last read.
    private(set) var word = Word()

    /// `text` must be valid UTF-8.
    @_lifetime(copy text)
    init(of text: Span<UInt8>, _ rules: TextRules = .uncased) {
        self.text = text
        self.rules = rules
        isUncased = rules == .uncased
    }

    /// Reads the next word; false, with an empty word, at the end of the text.
    @_lifetime(self: copy self)
    mutating func next() -> Bool {
        word.removeAll()
        while position < text.count {
            let byte = text[position]
            let isDone = byte < 0x80 ? readASCII(byte) : readScalar()
            if isDone { break }
        }
        return !word.isEmpty
    }

    /// Reads a run of letters or one other byte; true if the word is complete.
    @_lifetime(self: copy self)
    private mutating func readASCII(_ byte: UInt8) -> Bool {
        let before = position
        word.appendASCII(of: text, at: &position, lowered: rules.letters != .kept)
        if position > before { return false }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            position += 1
            return !word.isEmpty
        case ..<0x20, 0x7F:
            position += 1
            return false
        default:
            // A boundary is read again as the next word.
            guard word.isEmpty else { return true }
            let length = byte == UInt8(ascii: "[") ? specialLength : 1
            for index in position..<position + length { word.append(text[index]) }
            position += length
            return true
        }
    }

    /// The length of the special token that begins here, or 1.
    private var specialLength: Int {
        let rest = text.extracting(droppingFirst: position)
        guard rest.count > 1, UInt8(ascii: "A")...UInt8(ascii: "Z") ~= rest[1] else { return 1 }
        return SpecialToken.allCases.first { $0.begins(rest) }?.rawValue.utf8.count ?? 1
    }

    /// Reads one scalar; true if the word is complete.
    @_lifetime(self: copy self)
    private mutating func readScalar() -> Bool {
        var end = position
        let scalar = decodeScalar(text, at: &end)
        let kind = CharacterTable.characterClass(of: scalar)
        guard isUncased else { return read(scalar, kind, to: end) }
        return readUncased(scalar, kind, to: end)
    }

    /// Reads one scalar of this kind under the uncased rules.
    @_lifetime(self: copy self)
    private mutating func readUncased(_ scalar: UInt32, _ kind: CharacterClass, to end: Int) -> Bool
    {
        switch kind {
        case .letter:
            word.append(scalar: scalar)
        case .removed:
            break
        case .removedStarter:
            word.fixOrder()
        case .mark(let rank):
            word.insert(mark: scalar, rank: rank)
        case .hangul:
            word.append(syllable: scalar)
        case .space:
            position = end
            return !word.isEmpty
        case .alone:
            guard word.isEmpty else { return true }
            word.append(scalar: scalar)
            position = end
            return true
        case .mapped(let mapping):
            guard word.isEmpty || !mapping.isAlone else { return true }
            word.append(scalar: mapping.scalar)
            var rest = mapping.next
            while let mapping = rest {
                let rank = CharacterTable.markRank(of: mapping.scalar)
                word.insert(mark: mapping.scalar, rank: rank)
                rest = mapping.next
            }
            position = end
            return mapping.isAlone
        }
        position = end
        return false
    }

    /// Reads one scalar of this kind under other rules.
    @_lifetime(self: copy self)
    private mutating func read(_ scalar: UInt32, _ kind: CharacterClass, to end: Int) -> Bool {
        let isLetter = isIdeograph(scalar) && !rules.spacesIdeographs
        if rules.letters == .loweredWithoutAccents {
            guard isLetter else { return readUncased(scalar, kind, to: end) }
            // A compatibility ideograph stands for another one.
            if case .mapped(let mapping) = kind {
                word.append(scalar: mapping.scalar)
            } else {
                word.append(scalar: scalar)
            }
            position = end
            return false
        }
        var isAlone = false
        switch kind {
        case .space:
            position = end
            return !word.isEmpty
        case .removed, .removedStarter:
            guard isAccent(scalar) else {
                position = end
                return false
            }
        case .alone: isAlone = !isLetter
        case .mapped(let mapping):
            isAlone = mapping.isAlone && !isLetter && !losesAccent(scalar)
        case .letter, .mark, .hangul: break
        }
        guard word.isEmpty || !isAlone else { return true }
        append(scalar)
        position = end
        return isAlone
    }

    /// Whether a scalar is a word of its own only once its accent is gone: varia, and signs struck
    /// out.
    private func losesAccent(_ scalar: UInt32) -> Bool {
        scalar == 0x1FEF || scalar == 0x2260 || scalar == 0x226E || scalar == 0x226F
    }

    /// Appends a scalar with its accents, in lower case if the rules say so.
    @_lifetime(self: copy self)
    private mutating func append(_ scalar: UInt32) {
        guard rules.letters == .lowered, let letter = Unicode.Scalar(scalar) else {
            return word.append(scalar: scalar)
        }
        for lowered in letter.properties.lowercaseMapping.unicodeScalars {
            word.append(scalar: lowered.value)
        }
    }
}
