internal import JSON

/// A JSON value as pydantic reads a `float` outside strict mode.
enum LaxNumber {
    /// A double, perhaps not finite.
    case value(Double)
    case invalid(IssueType)

    init(_ node: JSONNode, in tree: JSONTree) {
        switch tree.kind(of: node) {
        case .float: self = .value(tree.double(of: node))
        case .integer:
            // Python makes no double of a larger integer. A larger float is infinite.
            let value = tree.double(of: node)
            self = value.isFinite ? .value(value) : .invalid(.notANumber)
        case .bool(let value): self = .value(value ? 1 : 0)
        case .string: self.init(text: tree.string(of: node))
        case .null, .array, .object: self = .invalid(.notANumber)
        }
    }

    /// Reads a number in a string, which may have space around it or underscores in it, but not
    /// both.
    private init(text: [UInt8]) {
        guard let text = String(validating: text, as: UTF8.self) else {
            self = .invalid(.notUnicode)
            return
        }
        if let value = Double(rustFloat: text.trimmingWhiteSpace()) {
            self = .value(value)
            return
        }
        let bytes = Array(text.utf8)
        let line = UInt8(ascii: "_")
        let isWellPlaced =
            bytes.first != line && bytes.last != line
            && !zip(bytes, bytes.dropFirst()).contains { $0 == line && $1 == line }
        if isWellPlaced, bytes.contains(line),
            let value = Double(
                rustFloat: String(decoding: bytes.filter { $0 != line }, as: UTF8.self))
        {
            self = .value(value)
        } else {
            self = .invalid(.notANumberText)
        }
    }
}

extension Double {
    /// Reads a number as Rust's `str::parse::<f64>`.
    ///
    /// It is a sign, digits with a point before, in or behind them, and an exponent; or "inf",
    /// "infinity" or "nan" in any case.
    fileprivate init?(rustFloat text: String) {
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let word = String(decoding: rest.prefix(9), as: UTF8.self).lowercased()
        if word == "inf" || word == "infinity" {
            self = isNegative ? -.infinity : .infinity
            return
        }
        if word == "nan" {
            self = .nan
            return
        }
        func digits() -> Int {
            let count = rest.prefix(while: \.isDigit).count
            rest.removeFirst(count)
            return count
        }
        var count = digits()
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            count += digits()
        }
        guard count > 0 else { return nil }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest.removeFirst()
            if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                rest.removeFirst()
            }
            guard digits() > 0 else { return nil }
        }
        guard rest.isEmpty else { return nil }
        self.init(text)
    }
}

extension String {
    /// The text without white space (Unicode's property) at its ends.
    fileprivate func trimmingWhiteSpace() -> String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[first...last])
    }
}
