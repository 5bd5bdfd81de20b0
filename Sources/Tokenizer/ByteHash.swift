/// A hash of a byte string that grows, and shrinks, by one byte at a time.
///
/// Both steps can be undone because the multiplier is odd. The longest-match search hashes a word
/// once and takes bytes off its end; a plain hash would start again for each shorter prefix.
struct ByteHash: Equatable {
    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let inverse: UInt64 = 0xF1DE_83E1_9937_733D

    private(set) var value: UInt64 = 0x2545_F491_4F6C_DD1D

    /// The hash of no bytes.
    static let empty = Self()

    /// The hash of `##`, with which tokens begin that continue a word.
    static let continuation = {
        var hash = Self()
        hash.append(UInt8(ascii: "#"))
        hash.append(UInt8(ascii: "#"))
        return hash
    }()

    mutating func append(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* Self.multiplier
    }

    /// Undoes the `append` of `byte`.
    mutating func removeLast(_ byte: UInt8) {
        value = (value &* Self.inverse) ^ UInt64(byte)
    }
}
