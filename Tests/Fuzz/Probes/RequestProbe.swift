import StandIns

@testable import API
@testable import FastCGI

/// Requests of any method, path and headers: each has an answer of a known status whose header
/// lines are its own and nobody else's.
///
/// The first lines are method, path, query, mount point, scheme and server; "name: value" follow.
func probeRequest(_ bytes: [UInt8]) throws {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    func line(_ index: Int) -> String { index < lines.count ? lines[index] : "" }
    var headers: [String: String] = [:]
    for line in lines.dropFirst(6) {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { continue }
        headers[String(parts[0])] = String(parts[1].drop { $0 == " " })
    }
    let request = Request(
        method: line(0), path: line(1), query: line(2), rootPath: line(3), headers: headers,
        scheme: line(4), server: line(5))
    var body = PiecewiseBody([], declares: true) { $0 }
    let response = Application(service: StandInService()).respond(to: request, body: &body)
    try require(
        [200, 307, 400, 401, 403, 404, 405, 422].contains(response.status),
        "status \(response.status)")
    for (name, value) in response.headers where name == "location" {
        try require(
            value.utf8.allSatisfy { 0x21...0x7E ~= $0 || request.scheme.utf8.contains($0) },
            "location \(value)")
    }

    // Whatever the routes put into a header, the web server must see these lines and no others.
    let records = Answer(
        status: response.status, headers: response.headers + [("x", line(2))], body: response.body
    ).records(id: 1, withoutBody: false).bytes
    try require(
        lineCount(records) == response.headers.count + 2 + (declares(response) ? 0 : 1),
        "\(lineCount(records)) lines for \(response.headers)")
}

private func declares(_ response: Response) -> Bool {
    response.headers.contains { $0.name.lowercased() == "content-length" }
}

/// Lines before the first empty one in an answer's first record.
private func lineCount(_ records: [UInt8]) -> Int {
    let text = records.dropFirst(RecordHeader.size)
    var count = 0
    var length = 0
    for byte in text {
        if byte == 0x0A {
            if length == 0 { return count }
            count += 1
            length = 0
        } else if byte != 0x0D {
            length += 1
        }
    }
    return count
}
