/// The tokens of a `vocab.txt`, one a line, and their numbers, from 0.
///
/// Keyed by bytes: two canonically equal `String`s would be one key.
struct Vocabulary: Sendable {
    private struct Extent {
        var start: UInt32
        var length: UInt32
    }

    /// The highest number of tokens, less than what fits beside the tag in a slot.
    static let tokenLimit = 1 << 20 - 1

    private let bytes: [UInt8]
    private var extents: [Extent] = []
    // Open addressing, at most half full: 12 bits of the hash, then the token's number plus 1; or
    // 0.
    private var slots: [UInt32]
    private let shift: UInt64

    /// The length in bytes of the longest token that begins a word.
    private(set) var longestFirst = 0
    /// The length in bytes of the longest token that continues a word, without its `##`.
    private(set) var longestNext = 0

    /// The number of tokens.
    var count: Int { extents.count }

    /// Reads the bytes of a `vocab.txt`; a line may end with a carriage return.
    init(_ bytes: [UInt8]) throws(TokenizerError) {
        guard bytes.count <= Int32.max else { throw .tooLarge(limit: Int(Int32.max)) }
        try Self.requireUTF8(bytes)
        self.bytes = bytes
        let lines = bytes.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        guard lines <= Self.tokenLimit else { throw .tooManyTokens(limit: Self.tokenLimit) }
        extents.reserveCapacity(lines)
        let width = Int.bitWidth - (lines * 2 - 1).leadingZeroBitCount
        slots = Array(repeating: 0, count: 1 << width)
        shift = UInt64(64 - width)

        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            try insert(start..<end)
            start = end + 1
        }
    }

    /// The number of a token; nil if there is none.
    func id(of token: String) -> Int32? {
        let key = Array(token.utf8)
        var hash = ByteHash.empty
        for byte in key { hash.append(byte) }
        return id(of: key.span, hash: hash, isNext: false)
    }

    /// The number of the token with these bytes, after `##` if `isNext`; nil if there is none.
    func id(of key: Span<UInt8>, hash: ByteHash, isNext: Bool) -> Int32? {
        let tag = Self.tag(hash)
        var slot = Int(truncatingIfNeeded: hash.value >> shift)
        while slots[slot] != 0 {
            if slots[slot] >> 20 == tag {
                let id = Int(slots[slot] & 0xF_FFFF) - 1
                if isToken(id, key, prefix: isNext ? 2 : 0) { return Int32(id) }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// The token with this number, as it stands in the file.
    func token(_ id: Int) -> String {
        let extent = extents[id]
        let start = Int(extent.start)
        return String(decoding: bytes[start..<start + Int(extent.length)], as: UTF8.self)
    }

    private static func tag(_ hash: ByteHash) -> UInt32 {
        UInt32(truncatingIfNeeded: hash.value >> 28) & 0xFFF
    }

    /// Whether token `id` is `prefix` times `#` and then `key`.
    private func isToken(_ id: Int, _ key: Span<UInt8>, prefix: Int) -> Bool {
        let extent = extents[id]
        guard Int(extent.length) == prefix + key.count else { return false }
        let start = Int(extent.start)
        for index in start..<start + prefix where bytes[index] != UInt8(ascii: "#") { return false }
        let rest = start + prefix
        for index in 0..<key.count where bytes[rest + index] != key[index] { return false }
        return true
    }

    private mutating func insert(_ line: Range<Int>) throws(TokenizerError) {
        var line = line
        if line.last.map({ bytes[$0] }) == UInt8(ascii: "\r") { line.removeLast() }
        let id = extents.count
        guard !line.isEmpty else { throw .emptyLine(id + 1) }
        var hash = ByteHash.empty
        for index in line { hash.append(bytes[index]) }
        if let earlier = self.id(of: bytes.span.extracting(line), hash: hash, isNext: false) {
            throw .repeatedToken(line: id + 1, earlier: Int(earlier) + 1)
        }
        var slot = Int(truncatingIfNeeded: hash.value >> shift)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Self.tag(hash) << 20 | UInt32(id + 1)
        extents.append(Extent(start: UInt32(line.lowerBound), length: UInt32(line.count)))

        let sign = UInt8(ascii: "#")
        if line.count > 2, bytes[line.lowerBound] == sign, bytes[line.lowerBound + 1] == sign {
            longestNext = max(longestNext, line.count - 2)
        } else {
            longestFirst = max(longestFirst, line.count)
        }
    }

    private static func requireUTF8(_ bytes: [UInt8]) throws(TokenizerError) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            let before = bytes[..<error.byteOffsets.lowerBound]
            let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
            throw .notUTF8(line: line)
        }
    }
}
