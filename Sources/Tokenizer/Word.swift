/// One normalised word: its UTF-8, its hash, and its marks in canonical order.
///
/// Not copyable, or each use would copy its storage.
struct Word: ~Copyable {
    /// The longest word that is looked up, in Unicode scalars; a longer one is `[UNK]`.
    static let limit = 100

    // A scalar takes at most four bytes. A word over the limit is counted no further and not kept.
    private var storage = InlineArray<400, UInt8>(repeating: 0)

    /// Bytes in use.
    private(set) var count = 0

    /// The hash of the bytes in use.
    private(set) var hash = ByteHash.empty

    private var scalars = 0
    private var firstMovable = 0

    /// Whether nothing has been appended.
    var isEmpty: Bool { scalars == 0 }

    /// Whether the word has more scalars than are looked up; its bytes are then not all there.
    var isTooLong: Bool { scalars > Self.limit }

    /// The bytes in use.
    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(first: count) }
    }

    mutating func removeAll() {
        count = 0
        scalars = 0
        firstMovable = 0
        hash = .empty
    }

    /// Appends the letters and digits that `text` has from `position` on, and moves past them.
    ///
    /// - Parameter lowered: whether to append them in lower case.
    mutating func appendASCII(of text: Span<UInt8>, at position: inout Int, lowered: Bool) {
        while position < text.count, let letter = Self.lowercase(text[position]) {
            append(lowered ? letter : text[position])
            position += 1
        }
    }

    /// The lower case of an ASCII letter or digit; nil for any other byte.
    @inline(__always)
    private static func lowercase(_ byte: UInt8) -> UInt8? {
        let lower = byte | 0x20
        if lower &- UInt8(ascii: "a") < 26 { return lower }
        return byte &- UInt8(ascii: "0") < 10 ? byte : nil
    }

    /// Appends an ASCII scalar.
    @inline(__always)
    mutating func append(_ byte: UInt8) {
        guard countScalar() else { return }
        push(byte)
    }

    /// Appends a scalar.
    mutating func append(scalar: UInt32) {
        guard countScalar() else { return }
        forEachByte(of: scalar) { push($0) }
    }

    /// Appends the letters (jamo) of a Hangul syllable: The Unicode Standard, section 3.12.
    mutating func append(syllable: UInt32) {
        let index = syllable - 0xAC00
        append(scalar: 0x1100 + index / 588)
        append(scalar: 0x1161 + index % 588 / 28)
        if index % 28 > 0 { append(scalar: 0x11A7 + index % 28) }
    }

    /// Inserts a mark before those of higher rank at the end; a mark of rank 0 goes to the end.
    mutating func insert(mark: UInt32, rank: Int) {
        guard countScalar() else { return }
        var place = count
        while rank > 0, place > firstMovable {
            let (scalar, start) = scalar(before: place)
            guard CharacterTable.markRank(of: scalar) > rank else { break }
            place = start
        }
        guard place < count else { return forEachByte(of: mark) { push($0) } }
        let size = UTF8.width(Unicode.Scalar(mark) ?? "\0")
        for index in (place..<count).reversed() { storage[index + size] = storage[index] }
        var end = place
        forEachByte(of: mark) {
            storage[end] = $0
            end += 1
        }
        count += size
        hash = .empty
        for index in 0..<count { hash.append(storage[index]) }
    }

    /// Lets no later mark move before the current end, at which a removed starter stood.
    mutating func fixOrder() {
        firstMovable = count
    }

    private mutating func countScalar() -> Bool {
        guard scalars < Self.limit else {
            scalars = Self.limit + 1
            return false
        }
        scalars += 1
        return true
    }

    private mutating func push(_ byte: UInt8) {
        storage[count] = byte
        count += 1
        hash.append(byte)
    }

    private func scalar(before end: Int) -> (scalar: UInt32, start: Int) {
        var start = end - 1
        while UTF8.isContinuation(storage[start]) { start -= 1 }
        var position = start
        return (decodeScalar(bytes, at: &position), start)
    }
}
