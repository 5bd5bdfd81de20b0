/// The name-value pairs of a parameter stream, read in place.
///
/// Iteration ends at a pair whose length reaches beyond the content; `check` reports such a pair.
struct ParameterPairs: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>

    /// The most pairs: more than any web server sends, and few enough for a linear search.
    static let countLimit = 1024

    init(_ content: ArraySlice<UInt8>) { rest = content }

    /// The next pair; nil at the end, or if a length reaches beyond the content.
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

    /// Whether there is a pair of this name.
    func contains(name: String) -> Bool {
        contains { $0.name.elementsEqual(name.utf8) }
    }

    /// Refuses pairs that libfcgi would cut short or misread.
    ///
    /// These have lengths beyond the content, NUL anywhere, or "=" in the name. libfcgi stores each
    /// pair as the C string `name=value`.
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

    /// Whether `sought` is among `bytes`.
    ///
    /// Reads all of them, so that the compiler can vectorise it.
    private static func holds(_ bytes: ArraySlice<UInt8>, _ sought: UInt8) -> Bool {
        let bytes = bytes.span
        var found: UInt8 = 0
        for i in bytes.indices { found |= bytes[i] == sought ? 1 : 0 }
        return found != 0
    }
}
