internal import JSON
internal import System

/// Reads a list of lists of 384 numbers into floats, row-major.
struct EmbeddingReading: RowReading {
    static let name = "embeddings"
    static let takesOnlyASCII = true

    /// Numbers in an embedding.
    static let columns = 384

    /// How many rows one request may hold.
    let limit: Int

    /// A second thread for long lists.
    var team: WorkerPair?

    /// About how many bytes of a long list a thread reads at a time.
    var bytesOfPiece = 64 << 10

    func fastRows(_ reader: inout JSONReader, in text: JSONText) -> [Float]? {
        guard reader.skip(UInt8(ascii: "[")) else { return nil }
        let starts =
            [reader.position] + (team == nil ? [] : laterStarts(in: text, after: reader.position))
        let pieces = parallelMap(starts.count, on: team) { piece in
            let end = piece + 1 < starts.count ? starts[piece + 1] : nil
            return rows(in: text, from: starts[piece], to: end)
        }
        var values: [Float] = []
        if pieces.count == 1 {
            values = pieces[0]?.values ?? []
        } else {
            values.reserveCapacity(pieces.reduce(0) { $0 + ($1?.values.count ?? 0) })
            for piece in pieces { values += piece?.values ?? [] }
        }
        guard let last = pieces[pieces.count - 1], !pieces.contains(where: { $0 == nil }),
            values.count <= limit * Self.columns
        else { return nil }
        reader.position = last.end
        return reader.skip(UInt8(ascii: "]")) ? values : nil
    }

    /// Guesses where other rows begin, about every `bytesOfPiece`; `rows` must find them there.
    private func laterStarts(in text: JSONText, after position: Int) -> [Int] {
        let pieces = min(16, (text.bytes.count - position) / bytesOfPiece)
        guard pieces > 1 else { return [] }
        var starts: [Int] = []
        for piece in 1..<pieces {
            let about = position + (text.bytes.count - position) / pieces * piece
            guard let bracket = text.bytes[about...].firstIndex(of: UInt8(ascii: "]")) else {
                break
            }
            var reader = JSONReader(text)
            reader.position = bracket + 1
            guard reader.skip(UInt8(ascii: ",")) else { continue }
            reader.skipSpace()
            if starts.last.map({ $0 < reader.position }) ?? true { starts.append(reader.position) }
        }
        return starts
    }

    private struct Piece: Equatable, Sendable {
        var values: [Float]
        /// The offset behind the last value.
        var end: Int
    }

    /// The rows from byte `start` to the row that begins at `end`, or to the last if `end` is nil.
    private func rows(in text: JSONText, from start: Int, to end: Int?) -> Piece? {
        var reader = JSONReader(text)
        reader.position = start
        var values: [Float] = []
        repeat {
            guard values.count < limit * Self.columns,
                reader.appendArray(of: Self.columns, to: &values)
            else { return nil }
            guard reader.skip(UInt8(ascii: ",")) else {
                return end == nil ? Piece(values: values, end: reader.position) : nil
            }
            reader.skipSpace()
        } while reader.position != end
        return Piece(values: values, end: reader.position)
    }

    func rows(_ list: JSONNode, in tree: JSONTree, issues: inout RequestIssues) -> [Float]? {
        guard isShortEnough(list, in: tree, issues: &issues) else { return nil }
        var values: [Float] = []
        tree.forEachElement(of: list) { index, row in
            if case .array = tree.kind(of: row) {
                append(row, number: index, in: tree, to: &values, issues: &issues)
            } else {
                issues.shared.add(
                    .notAList, at: ["body", .name(Self.name), .index(index)],
                    size: tree.length(of: row)
                ) { tree.write(row, into: &$0) }
            }
            return true
        }
        return values
    }

    private func append(
        _ row: JSONNode, number: Int, in tree: JSONTree, to values: inout [Float],
        issues: inout RequestIssues
    ) {
        let location: [LocationPart] = ["body", .name(Self.name), .index(number)]
        let faults = issues.shared.count + issues.own.count
        var count = 0
        tree.forEachElement(of: row) { index, element in
            func input(_ output: inout [UInt8]) { tree.write(element, into: &output) }
            count += 1
            switch LaxNumber(element, in: tree) {
            case .invalid(let type):
                issues.shared.add(
                    type, at: location + [.index(index)], size: tree.length(of: element),
                    input: input)
            case .value(let number):
                let value = Float(number)
                if !value.isFinite {
                    issues.own.add(
                        .notFinite, at: location + [.index(index)],
                        size: tree.length(of: element), input: input)
                } else if count <= Self.columns, issues.isEmpty {
                    values.append(value)
                }
            }
            return true
        }
        if count != Self.columns, faults == issues.shared.count + issues.own.count {
            issues.own.add(
                .wrongRowLength(expected: Self.columns, given: count), at: location,
                size: tree.length(of: row)
            ) { tree.write(row, into: &$0) }
        }
    }
}
