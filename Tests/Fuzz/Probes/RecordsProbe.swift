@testable import FastCGI

/// What a gate made of some bytes.
private struct Reading: Equatable {
    struct Request: Equatable {
        var id: UInt16
        var keepsConnection: Bool
        var parameters: [UInt8]
        var body: [UInt8]
    }

    /// Requests that came to their end.
    var requests: [Request] = []
    var replies: [UInt8] = []
    var error: String?
    /// The request under way when the bytes ended.
    var phase = ""
    var parameterCount = 0
    var unfinishedBody: [UInt8] = []
}

private let parameterLimit = 4096

/// Records: the same requests however the bytes are cut, and exactly those that a plain walk over
/// whole records finds; what came out of the gate then goes through libfcgi unchanged.
func probeRecords(_ bytes: [UInt8]) throws {
    let whole = read(bytes) { $0 }
    var portions = Portions(of: bytes)
    let cut = read(bytes) { portions.next(limit: $0) }
    let single = read(bytes) { _ in 1 }
    try require(whole == cut, "in portions \(cut), whole \(whole)")
    try require(whole == single, "byte by byte \(single), whole \(whole)")

    let expected = plainRequests(bytes)
    // The gate may give up sooner, for asking too much of it; what it let through must be right.
    try require(
        whole.error == nil
            ? whole.requests == expected : expected.starts(with: whole.requests),
        "\(whole.requests) instead of \(expected)")

    for request in whole.requests {
        guard (try? ParameterPairs(request.parameters[...]).check()) != nil else { continue }
        try passThroughLibrary(request.parameters)
    }
}

private func read(_ bytes: [UInt8], portion: (Int) -> Int) -> Reading {
    var reading = Reading()
    var gate = RecordGate(parameterLimit: parameterLimit)
    var body: [UInt8] = []
    var position = 0
    while position < bytes.count {
        let count = portion(bytes.count - position)
        do throws(FastCGIError) {
            position += try gate.take(bytes[position..<(position + count)])
        } catch {
            reading.error = "\(error)"
            break
        }
        var part: [UInt8] = []
        gate.exchangeBody(for: &part)
        body += part
        if gate.phase == .ended {
            reading.requests.append(
                .init(
                    id: gate.requestID, keepsConnection: gate.keepsConnection,
                    parameters: gate.parameters, body: body))
            body = []
            gate.reset()
        }
    }
    reading.replies = gate.replies
    reading.phase = "\(gate.phase)"
    reading.parameterCount = gate.parameters.count
    // A refused record's first bytes are told or not told depending on the cut; nobody reads them.
    reading.unfinishedBody = reading.error == nil ? body : []
    return reading
}

/// The requests in `bytes` by the specification, record by whole record.
private func plainRequests(_ bytes: [UInt8]) -> [Reading.Request] {
    var requests: [Reading.Request] = []
    var current: Reading.Request?
    var parametersEnded = false
    var rest = bytes[...]
    while rest.count >= 8 {
        let header = Array(rest.prefix(8))
        let id = UInt16(header[2]) << 8 | UInt16(header[3])
        let length = Int(header[4]) << 8 | Int(header[5])
        guard header[0] == 1, rest.count >= 8 + length else { return requests }
        let content = Array(rest.dropFirst(8).prefix(length))
        rest = rest.dropFirst(8 + length + Int(header[6]))
        let isOurs = current.map { $0.id == id } ?? false
        switch (header[1], id) {
        case (9, 0): guard length <= 256 else { return requests }
        case (1...11, 0): return requests
        case (_, 0): break
        case (1, _) where length == 8 && !isOurs:
            if current != nil { continue }
            guard content[0] == 0, content[1] == 1 else { return requests }
            current = .init(
                id: id, keepsConnection: content[2] & 1 == 1, parameters: [], body: [])
            parametersEnded = false
        case (2, _) where !isOurs: break
        case (4, _) where isOurs && !parametersEnded:
            parametersEnded = content.isEmpty
            current?.parameters += content
            if let current, current.parameters.count > parameterLimit { return requests }
        case (5, _) where isOurs && parametersEnded:
            current?.body += content
            if content.isEmpty, let ended = current {
                requests.append(ended)
                current = nil
            }
        case (4, _) where current != nil && !isOurs, (5, _) where current != nil && !isOurs,
            (8, _) where current != nil && !isOurs:
            break
        default: return requests
        }
    }
    return requests
}
