/// A text known to be JSON, with the extents of its arrays and objects.
///
/// Values stay in the text and are read through `JSONNode`. Beside the text a tree takes only eight
/// bytes a container, whatever a hostile body nests.
public struct JSONTree: Sendable {
    /// WTF-8.
    let text: [UInt8]

    /// Containers in the order they open.
    var extents: [Extent] = []

    /// The end of a container, and the number of containers that open before it.
    struct Extent {
        /// The index of the byte behind the closing bracket.
        var end: UInt32
        /// The number of the first container that opens behind it.
        var next: UInt32
    }

    /// Checks `text` from end to end.
    ///
    /// - Parameter depth: the most arrays and objects inside one another.
    /// - Throws: `JSONError`: the fault that `json.loads` finds first.
    public init(_ text: JSONText, depth: Int) throws(JSONError) {
        precondition(text.bytes.count < UInt32.max, "a JSON text of \(text.bytes.count) bytes")
        self.text = text.bytes
        // Growing would hold the extents twice. A hostile text has one for every second byte.
        extents.reserveCapacity(brackets(in: text.bytes.span))
        var scanner = JSONScanner(text.bytes.span)
        scanner.skipSpace()
        try index(&scanner, depth: depth)
        scanner.skipSpace()
        guard scanner.position == text.bytes.count else {
            throw scanner.fault("Extra data", at: scanner.position)
        }
    }

    /// Skips one value with everything in it.
    ///
    /// A loop rather than recursion, so that depth costs no stack.
    private mutating func index(_ scanner: inout JSONScanner, depth: Int) throws(JSONError) {
        var open: [(container: Int, isObject: Bool)] = []
        while true {
            var isClosed = true
            if scanner.sees(UInt8(ascii: "\"")) {
                try scanner.skipString()
            } else if scanner.sees(UInt8(ascii: "[")) || scanner.sees(UInt8(ascii: "{")) {
                guard open.count < depth else {
                    throw scanner.fault(
                        "maximum recursion depth exceeded", at: scanner.position, cause: .depth)
                }
                open.append((extents.count, scanner.sees(UInt8(ascii: "{"))))
                extents.append(Extent(end: 0, next: 0))
                scanner.position += 1
                scanner.skipSpace()
                isClosed = closes(&open, &scanner)
                if !isClosed, open[open.count - 1].isObject { try scanner.skipKey() }
            } else {
                try scanner.skipScalar()
            }
            guard isClosed else { continue }
            while let container = open.last {
                scanner.skipSpace()
                if closes(&open, &scanner) { continue }
                guard scanner.sees(UInt8(ascii: ",")) else {
                    throw scanner.fault("Expecting ',' delimiter", at: scanner.position)
                }
                scanner.position += 1
                scanner.skipSpace()
                if container.isObject { try scanner.skipKey() }
                break
            }
            if open.isEmpty { return }
        }
    }

    /// Skips the bracket that closes the innermost container, if it comes next.
    private mutating func closes(
        _ open: inout [(container: Int, isObject: Bool)], _ scanner: inout JSONScanner
    ) -> Bool {
        guard let (container, isObject) = open.last,
            scanner.sees(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        else { return false }
        scanner.position += 1
        extents[container] = Extent(end: UInt32(scanner.position), next: UInt32(extents.count))
        open.removeLast()
        return true
    }
}

extension JSONScanner {
    /// Steps from the place of a member's name to that of its value.
    fileprivate mutating func skipKey() throws(JSONError) {
        guard sees(UInt8(ascii: "\"")) else {
            throw fault("Expecting property name enclosed in double quotes", at: position)
        }
        try skipString()
        skipSpace()
        guard sees(UInt8(ascii: ":")) else { throw fault("Expecting ':' delimiter", at: position) }
        position += 1
        skipSpace()
    }
}

/// An upper bound of the arrays and objects in `text`: its opening brackets, in strings too.
private func brackets(in text: Span<UInt8>) -> Int {
    var count = 0
    // "[" and "{" differ in one bit.
    for i in text.indices where text[i] | 0x20 == UInt8(ascii: "{") { count &+= 1 }
    return count
}
