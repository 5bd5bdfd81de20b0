/// The names under which Python knows character sets.
enum CharsetNames {
    /// Python's key for a label: small letters, digits and dots, with one underscore for every run
    /// of other characters between them.
    static func normalised(_ label: [UInt8]) -> [UInt8] {
        var name: [UInt8] = []
        var pendingGap = false
        for byte in label {
            let small = byte.lowercased
            guard small.isAlphanumeric || small == dot else {
                pendingGap = !name.isEmpty
                continue
            }
            if pendingGap { name.append(underscore) }
            pendingGap = false
            name.append(small)
        }
        return name
    }

    /// The row of the set with a normalised name; nil if there is none.
    ///
    /// Python looks for an alias, with underscores for dots, then for a module, which has no dot.
    static func row(of name: [UInt8]) -> Int? {
        guard !name.isEmpty else { return nil }
        let alias = name.map { $0 == dot ? underscore : $0 }
        let mayBeModule = !name.contains(dot)
        return CharsetTables.names.withUTF8Buffer { text in
            var (row, column, start) = (0, 0, 0)
            for end in 0...text.count {
                let byte = unsafe end < text.count ? text[end] : lineFeed
                guard byte == space || byte == lineFeed else { continue }
                if end - start == alias.count, column > 0 || mayBeModule {
                    if unsafe text[start..<end].elementsEqual(alias) { return row }
                }
                start = end + 1
                (row, column) = byte == space ? (row, column + 1) : (row + 1, 0)
            }
            return nil
        }
    }

    private static let space = UInt8(ascii: " ")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let dot = UInt8(ascii: ".")
    private static let underscore = UInt8(ascii: "_")
}
