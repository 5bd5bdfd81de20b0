/// Decompresses DEFLATE data (RFC 1951), as zip files hold it.
///
/// The output never exceeds the size that was promised, so no input unfolds into more memory.
struct Inflate: ~Copyable {
    /// Why the data cannot be decompressed: it is no such data, or has another size than promised.
    struct Failure: Error {}

    private let bytes: [UInt8]
    private var at: Int
    private let end: Int
    private var bitBuffer: UInt32 = 0
    private var bitCount = 0
    private var output: [UInt8] = []
    private let size: Int

    /// The `size` bytes that `bytes[range]` holds, all of which must be used.
    static func decompress(
        _ bytes: [UInt8], in range: Range<Int>, size: Int
    ) throws(Failure) -> [UInt8] {
        var inflate = Inflate(bytes, range, size)
        try inflate.run()
        return inflate.output
    }

    /// Whether so many bytes can hold so many: no code gives more than 258 bytes for two bits.
    static func isPossible(compressed: Int, size: Int) -> Bool { size / 1032 <= compressed }

    private init(_ bytes: [UInt8], _ range: Range<Int>, _ size: Int) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
        self.size = size
        output.reserveCapacity(size)
    }

    private mutating func run() throws(Failure) {
        var isLast = false
        while !isLast {
            isLast = try bits(1) == 1
            switch try bits(2) {
            case 0: try copyStored()
            case 1: try decode(Self.fixedLiterals, Self.fixedDistances)
            case 2:
                let (literals, distances) = try dynamicCodes()
                try decode(literals, distances)
            default: throw Failure()
            }
        }
        guard output.count == size, at == end else { throw Failure() }
    }

    /// The next `count` bits, lowest first; at most 16.
    private mutating func bits(_ count: Int) throws(Failure) -> Int {
        while bitCount < count {
            guard at < end else { throw Failure() }
            bitBuffer |= UInt32(bytes[at]) << UInt32(bitCount)
            at += 1
            bitCount += 8
        }
        let value = bitBuffer & (1 << UInt32(count) - 1)
        bitBuffer >>= UInt32(count)
        bitCount -= count
        return Int(value)
    }

    /// A block as it is, behind its length and the complement of that.
    private mutating func copyStored() throws(Failure) {
        bitBuffer = 0
        bitCount = 0
        guard end - at >= 4 else { throw Failure() }
        let length = Int(littleEndian16(bytes.span, at: at))
        guard length ^ 0xFFFF == Int(littleEndian16(bytes.span, at: at + 2)) else {
            throw Failure()
        }
        at += 4
        guard length <= end - at, length <= size - output.count else { throw Failure() }
        output.append(contentsOf: bytes[at..<at + length])
        at += length
    }

    private mutating func decode(
        _ literals: HuffmanCode, _ distances: HuffmanCode
    ) throws(Failure) {
        while true {
            let symbol = try next(literals)
            if symbol < 256 {
                guard output.count < size else { throw Failure() }
                output.append(UInt8(symbol))
            } else if symbol == 256 {
                return
            } else {
                guard symbol - 257 < Self.lengthBases.count else { throw Failure() }
                let length =
                    Self.lengthBases[symbol - 257] + (try bits(Self.lengthBits[symbol - 257]))
                let code = try next(distances)
                guard code < Self.distanceBases.count else { throw Failure() }
                let distance = Self.distanceBases[code] + (try bits(Self.distanceBits[code]))
                guard distance <= output.count, length <= size - output.count else {
                    throw Failure()
                }
                // Byte by byte, because a copy may run into what it has just written.
                for _ in 0..<length { output.append(output[output.count - distance]) }
            }
        }
    }

    /// The next symbol of `code`.
    private mutating func next(_ code: HuffmanCode) throws(Failure) -> Int {
        var (value, first, index) = (0, 0, 0)
        for length in 1...HuffmanCode.longest {
            value |= try bits(1)
            let count = code.counts[length]
            if value - first < count { return code.symbols[index + value - first] }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        throw Failure()
    }

    /// The codes of literals and distances that stand at the start of a block, themselves coded.
    private mutating func dynamicCodes() throws(Failure) -> (HuffmanCode, HuffmanCode) {
        let literalCount = try bits(5) + 257
        let distanceCount = try bits(5) + 1
        let orderCount = try bits(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw Failure() }
        var lengths = [Int](repeating: 0, count: 19)
        for index in 0..<orderCount { lengths[Self.order[index]] = try bits(3) }
        let lengthCode = try HuffmanCode(lengths: lengths[...])

        lengths = []
        while lengths.count < literalCount + distanceCount {
            let symbol = try next(lengthCode)
            var (repeated, count) = (symbol, 1)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw Failure() }
                (repeated, count) = (last, try bits(2) + 3)
            case 17: (repeated, count) = (0, try bits(3) + 3)
            case 18: (repeated, count) = (0, try bits(7) + 11)
            default: break
            }
            guard count <= literalCount + distanceCount - lengths.count else { throw Failure() }
            lengths += repeatElement(repeated, count: count)
        }
        return (
            try HuffmanCode(lengths: lengths[..<literalCount]),
            try HuffmanCode(lengths: lengths[literalCount...])
        )
    }

    // RFC 1951, 3.2.5 to 3.2.7.
    private static let lengthBases = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBases = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
    ]
    private static let order = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]
    private static let fixedLiterals = HuffmanCode(
        checked: [Int](repeating: 8, count: 144) + [Int](repeating: 9, count: 112)
            + [Int](repeating: 7, count: 24) + [Int](repeating: 8, count: 8))
    private static let fixedDistances = HuffmanCode(checked: [Int](repeating: 5, count: 30))
}

/// A canonical Huffman code.
private struct HuffmanCode {
    /// The longest code, in bits.
    static let longest = 15

    /// The number of symbols by code length.
    let counts: [Int]

    /// Symbols in the order of their codes.
    let symbols: [Int]

    /// The code whose symbol i takes `lengths[i]` bits; 0 leaves it out.
    ///
    /// No more codes than fit may be asked for. Fewer are legal: the rest is refused when it comes.
    init(lengths: ArraySlice<Int>) throws(Inflate.Failure) {
        self.init(checked: Array(lengths))
        var left = 1
        for length in 1...Self.longest {
            left = left << 1 - counts[length]
            guard left >= 0 else { throw Inflate.Failure() }
        }
    }

    init(checked lengths: [Int]) {
        var counts = [Int](repeating: 0, count: Self.longest + 1)
        for length in lengths { counts[length] += 1 }
        counts[0] = 0
        self.counts = counts
        symbols =
            (1...Self.longest).flatMap { length in
                lengths.indices.filter { lengths[$0] == length }
            }
    }
}
