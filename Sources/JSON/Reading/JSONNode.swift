/// The beginning of one value of a `JSONTree`.
public struct JSONNode: Sendable {
    // Eight bytes in all, because a hostile object has millions of members.
    private let startBits: UInt32
    private let containerBits: UInt32

    init(start: Int, container: Int) {
        startBits = UInt32(start)
        containerBits = UInt32(container)
    }

    /// The index of its first byte.
    var start: Int { Int(startBits) }

    /// The number of the first container that opens at this byte or later.
    var container: Int { Int(containerBits) }

    /// The kind of a value, as Python's types divide them.
    public enum Kind: Sendable {
        case null
        case bool(Bool)
        /// A number without fraction or exponent: Python's `int`.
        case integer
        /// Any other number, `NaN` and the infinities included: Python's `float`.
        case float
        case string
        case array
        case object
    }
}

extension JSONTree {
    /// The value that the text is.
    public var root: JSONNode { JSONNode(start: skippingSpace(from: 0), container: 0) }

    /// What `node` is.
    public func kind(of node: JSONNode) -> JSONNode.Kind {
        switch text[node.start] {
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "{"): .object
        default: isFloat(node) ? .float : .integer
        }
    }

    /// Calls `body` with the index and each element of an array, until it returns false.
    public func forEachElement(of array: JSONNode, _ body: (Int, JSONNode) -> Bool) {
        var element = inside(array)
        var index = 0
        while text[element.start] != UInt8(ascii: "]") {
            guard body(index, element) else { return }
            index += 1
            element = after(element)
        }
    }

    /// The number of elements of an array, counted no further than `limit` + 1.
    public func count(of array: JSONNode, limit: Int = .max - 1) -> Int {
        var count = 0
        forEachElement(of: array) { index, _ in
            count = index + 1
            return index < limit
        }
        return count
    }

    /// The member named `name`; the last one if several have that name.
    public func member(_ name: String, of object: JSONNode) -> JSONNode? {
        var found: JSONNode?
        forEachMember(of: object) { key, value in
            if string(at: key).elementsEqual(name.utf8) { found = value }
        }
        return found
    }

    /// Calls `body` with the index of each member's name and its value, repeated names included.
    func forEachMember(of object: JSONNode, _ body: (_ key: Int, JSONNode) -> Void) {
        var key = inside(object)
        while text[key.start] != UInt8(ascii: "}") {
            var value = skippingSpace(from: end(of: key))
            value = skippingSpace(from: value + 1)
            let node = JSONNode(start: value, container: key.container)
            body(key.start, node)
            key = after(node)
        }
    }

    /// Calls `body` with each member's name, as WTF-8, and its value, repeated names included.
    public func forEachNamed(of object: JSONNode, _ body: (_ name: [UInt8], JSONNode) -> Void) {
        forEachMember(of: object) { key, value in body(string(at: key), value) }
    }

    /// The value of a number, `NaN` included, as Python's `float`; infinite if it is out of range.
    public func double(of number: JSONNode) -> Double {
        Double(jsonNumber: text.span.extracting(number.start..<end(of: number)))
    }

    private func isFloat(_ number: JSONNode) -> Bool {
        for i in number.start..<end(of: number) where isFloatMark(text[i]) { return true }
        return false
    }

    /// The range of an integer's digits as Python prints it, with "-" if it is negative.
    func integerText(of number: JSONNode) -> Range<Int> {
        let end = end(of: number)
        let isNegativeZero =
            text[number.start] == UInt8(ascii: "-") && text[number.start + 1] == UInt8(ascii: "0")
        return (isNegativeZero ? number.start + 1 : number.start)..<end
    }

    /// A value's text, unchanged.
    public func text(of node: JSONNode) -> ArraySlice<UInt8> { text[node.start..<end(of: node)] }

    /// Whether an array or an object is empty.
    public func isEmpty(_ container: JSONNode) -> Bool {
        let first = text[inside(container).start]
        return first == UInt8(ascii: "]") || first == UInt8(ascii: "}")
    }

    /// The range of a value's text.
    public func length(of node: JSONNode) -> Int { end(of: node) - node.start }

    /// The byte behind a value.
    func end(of node: JSONNode) -> Int {
        switch text[node.start] {
        case UInt8(ascii: "["), UInt8(ascii: "{"): return Int(extents[node.container].end)
        case UInt8(ascii: "\""):
            var i = node.start + 1
            while text[i] != UInt8(ascii: "\"") { i += text[i] == UInt8(ascii: "\\") ? 2 : 1 }
            return i + 1
        default:
            var i = node.start
            while i < text.count, !endsScalar(text[i]) { i += 1 }
            return i
        }
    }

    private func skippingSpace(from start: Int) -> Int {
        var i = start
        while i < text.count, isSpace(text[i]) { i += 1 }
        return i
    }

    /// The first thing in a container: a value, a name, or the closing bracket.
    private func inside(_ container: JSONNode) -> JSONNode {
        JSONNode(
            start: skippingSpace(from: container.start + 1), container: container.container + 1)
    }

    /// The thing behind `value` in its container: a value, a name, or the closing bracket.
    private func after(_ value: JSONNode) -> JSONNode {
        let isContainer =
            text[value.start] == UInt8(ascii: "[") || text[value.start] == UInt8(ascii: "{")
        var i = skippingSpace(from: end(of: value))
        if text[i] == UInt8(ascii: ",") { i = skippingSpace(from: i + 1) }
        return JSONNode(
            start: i,
            container: isContainer ? Int(extents[value.container].next) : value.container)
    }
}

private func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        || byte == UInt8(ascii: "\t")
}

private func endsScalar(_ byte: UInt8) -> Bool {
    isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: "}")
}

/// Whether `byte` occurs only in a float's text; "I" and "N" begin Infinity and NaN.
private func isFloatMark(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "I"),
        UInt8(ascii: "N"):
        true
    default: false
    }
}
