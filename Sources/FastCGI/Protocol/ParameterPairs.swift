/// The name-value pairs of a parameter stream, read in place.
///
/// Iterating ends at a pair that does not fit; `check` tells whether one does not.
struct ParameterPairs: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    /// More pairs than any web server sends, and few enough to walk.
    static let countLimit = 1024

    init(_ content: ArraySlice<UInt8>) { rest = content }

    /// The next pair, nil at the end and where lengths reach beyond the content.
    mutating func next() -> (name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)? {
        var pair = rest
        guard let nameLength = Self.takeLength(&pair), let valueLength = Self.takeLength(&pair),
            nameLength <= pair.count, valueLength <= pair.count - nameLength
        else { return nil }
        let name = pair.prefix(nameLength)
        let value = pair.dropFirst(nameLength).prefix(valueLength)
        rest = pair.dropFirst(nameLength + valueLength)
        return (name, value)
    }

    /// A length in one byte, or in four with the first bit set.
    private static func takeLength(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        guard let first = bytes.popFirst() else { return nil }
        guard first & 0x80 != 0 else { return Int(first) }
        guard bytes.count >= 3 else { return nil }
        let length = bytes.prefix(3).reduce(Int(first & 0x7F)) { $0 << 8 | Int($1) }
        bytes = bytes.dropFirst(3)
        return length
    }

    /// Whether a pair of this name is there.
    func contains(name: String) -> Bool {
        contains { $0.name.elementsEqual(name.utf8) }
    }

    /// Refuses what libfcgi would cut short or misread, since it keeps each pair as the C string
    /// `name=value`: lengths beyond the content, NUL anywhere, and "=" in a name.
    func check() throws(FastCGIError) {
        var pairs = self
        var count = 0
        while let (name, value) = pairs.next() {
            count += 1
            if count > Self.countLimit {
                throw .brokenProtocol("more than \(Self.countLimit) parameters")
            }
            if name.isEmpty || Self.holds(name, 0) || Self.holds(name, UInt8(ascii: "=")) {
                throw .brokenProtocol("a parameter name that is empty or holds NUL or =")
            }
            if Self.holds(value, 0) {
                throw .brokenProtocol("NUL in a parameter")
            }
        }
        if !pairs.rest.isEmpty {
            throw .brokenProtocol("a parameter longer than its stream")
        }
    }

    /// Whether `sought` is among `bytes`; looks at all of them, and so at many at a time.
    private static func holds(_ bytes: ArraySlice<UInt8>, _ sought: UInt8) -> Bool {
        let bytes = bytes.span
        var found: UInt8 = 0
        for i in bytes.indices { found |= bytes[i] == sought ? 1 : 0 }
        return found != 0
    }
}
