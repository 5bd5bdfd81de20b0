import JSON
import StandIns

@testable import API

private let limits = {
    var limits = Limits()
    limits.uploadBytes = 8 << 20
    return limits
}()

/// Uploads, whose first line is the content type and whose rest is the body.
///
/// The answer and the text trained on are the same however the body is cut, and the text stands in
/// the body.
func probeForm(_ bytes: [UInt8]) throws {
    let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
    let type = String(decoding: bytes[..<lineEnd], as: UTF8.self)
    let body = bytes[lineEnd...].dropFirst()

    let whole = try answer(type, body, declares: true) { $0 }
    var portions = Portions(of: bytes)
    let cut = try answer(type, body, declares: false) { portions.next(limit: $0) }
    let single = try answer(type, body, declares: true) { _ in 1 }
    try require(whole == cut, "in portions \(cut), whole \(whole)")
    try require(whole == single, "byte by byte \(single), whole \(whole)")
    for text in whole.trained {
        try require(contains(text, in: Array(body)), "a text that does not stand in the body")
    }
}

private struct FormAnswer: Equatable {
    var status: Int
    var body: [UInt8]
    var trained: [[UInt8]]
}

private func answer(
    _ type: String, _ body: ArraySlice<UInt8>, declares: Bool, portion: @escaping (Int) -> Int
) throws -> FormAnswer {
    let service = StandInService()
    var source = PiecewiseBody(body, declares: declares, portion: portion)
    let response = Application(service: service, limits: limits).respond(
        to: Request(method: "POST", path: "/upload/", headers: ["content-type": type]),
        body: &source)
    try require([200, 400, 413, 422].contains(response.status), "status \(response.status)")
    _ = try JSONTree(JSONText(decoding: response.body), depth: 16)
    return FormAnswer(status: response.status, body: response.body, trained: service.trained)
}

/// Whether `part` stands somewhere in `whole`.
private func contains(_ part: [UInt8], in whole: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    guard part.count <= whole.count else { return false }
    return (0...(whole.count - part.count)).contains { start in
        whole[start] == first && whole[start..<(start + part.count)].elementsEqual(part)
    }
}
