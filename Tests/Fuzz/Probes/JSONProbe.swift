import JSON
import System
import StandIns

@testable import API

private let team = WorkerPair()

/// JSON: what the short way accepts, the tree accepts with the same values; what json-c's documents
/// hold comes back; every body gets an answer that is JSON itself.
func probeJSON(_ bytes: [UInt8]) throws {
    for path in ["/denoise/text", "/denoise/embedding", "/similarity", "/v1/embeddings"] {
        var body = PiecewiseBody(bytes[...], declares: true) { $0 }
        let response = Application(service: StandInService()).respond(
            to: Request(
                method: "POST", path: path, headers: ["content-type": "application/json"]),
            body: &body)
        let isOpenAI = path.hasPrefix("/v1/")
        let refusals = isOpenAI ? [400, 404] : [400, 422]
        try require(
            response.status == 200 || refusals.contains(response.status),
            "status \(response.status)")
        let answer = try JSONTree(JSONText(decoding: response.body), depth: 2000)
        if isOpenAI {
            let name = response.status == 200 ? "data" : "error"
            try require(answer.member(name, of: answer.root) != nil, "an answer without \(name)")
        }
    }

    let unchecked = JSONText(unchecked: bytes)
    let text = try? JSONText(decoding: bytes)
    let tree = text.flatMap { try? JSONTree($0, depth: Limits().jsonDepth) }
    for reading in [
        EmbeddingReading(limit: 64),
        // Pieces of less than a row and of a few, on two threads.
        EmbeddingReading(limit: 64, team: team, bytesOfPiece: 700),
        EmbeddingReading(limit: 64, team: team, bytesOfPiece: 3000),
    ] {
        try compareRows(reading, unchecked, tree) {
            $0.map(\.bitPattern) == $1.map(\.bitPattern)
        }
    }
    guard let text else { return }
    try compareRows(TextReading(limit: 2048), text, tree) { $0 == $1 }
    try compareNumbers(text, tree)
    guard let tree else {
        try require((try? JSONValue(parsing: bytes)) == nil, "json-c reads what is no JSON")
        return
    }
    try checkEcho(tree)
    try checkDocument(bytes)
}

/// The short way and the tree must come to the same request.
private func compareRows<Reading: RowReading>(
    _ reading: Reading, _ text: JSONText, _ tree: JSONTree?,
    areEqual: (Reading.Rows, Reading.Rows) -> Bool
) throws {
    guard let fast = reading.fastRequest(text) else { return }
    guard let tree else { throw Disagreement(description: "the short way reads what is no JSON") }
    var issues = RequestIssues(limit: 10)
    guard let slow = reading.slowRequest(tree, &issues) else {
        throw Disagreement(description: "the short way reads what the tree refuses")
    }
    try require(fast.noiseLevel == slow.noiseLevel, "noise \(fast.noiseLevel), \(slow.noiseLevel)")
    try require(areEqual(fast.rows, slow.rows), "rows \(fast.rows), \(slow.rows)")
}

/// A text that is one number, or a list of them, against Swift's own reading of the same digits.
private func compareNumbers(_ text: JSONText, _ tree: JSONTree?) throws {
    guard let tree else { return }
    var elements: [JSONNode] = []
    switch tree.kind(of: tree.root) {
    case .integer, .float: elements = [tree.root]
    case .array:
        tree.forEachElement(of: tree.root) { _, element in
            switch tree.kind(of: element) {
            case .integer, .float: elements.append(element)
            default: break
            }
            return elements.count < 1000
        }
    default: return
    }
    for element in elements {
        let value = tree.double(of: element)
        var echo: [UInt8] = []
        tree.write(element, into: &echo)
        let spelling = String(decoding: echo, as: UTF8.self)
        if value.isFinite {
            try require(Double(spelling) == value, "\(value) is written \(spelling)")
        }
    }
    var reader = JSONReader(text)
    if elements.count > 0, reader.skip(UInt8(ascii: "[")) {
        var reader = JSONReader(text)
        var floats: [Float] = []
        if reader.appendArray(of: elements.count, to: &floats), reader.isAtEnd() {
            let expected = elements.map { Float(tree.double(of: $0)) }
            try require(
                floats.map(\.bitPattern) == expected.map(\.bitPattern), "\(floats), \(expected)")
        }
    }
}

/// What is echoed reads back, and echoes the same.
private func checkEcho(_ tree: JSONTree) throws {
    var once: [UInt8] = []
    tree.write(tree.root, into: &once)
    let again = try JSONTree(JSONText(decoding: once), depth: 1000)
    var twice: [UInt8] = []
    again.write(again.root, into: &twice)
    try require(once == twice, "an echo changes when it is read and echoed again")
}

/// What json-c reads, it reads again from what we write.
private func checkDocument(_ bytes: [UInt8]) throws {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    var written: [UInt8] = []
    value.write(into: &written)
    try require(try JSONValue(parsing: written) == value, "a document does not survive its text")
}
