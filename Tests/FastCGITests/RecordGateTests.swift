import Testing
import TestSupport

@testable import FastCGI

@Suite struct `The record gate` {
    private let parameters = Wire.pairs(Wire.parameters("/x"))

    /// Feeds `bytes` in portions; returns the gate at the request's end or theirs.
    private func gate(
        _ bytes: [UInt8], portion: Int = .max, limit: Int = 65_536
    ) throws -> RecordGate {
        var gate = RecordGate(parameterLimit: limit)
        var rest = bytes[...]
        while !rest.isEmpty && gate.phase != .ended {
            let part = rest.prefix(portion)
            rest = rest.dropFirst(try gate.take(part))
        }
        return gate
    }

    private func expectRefused(_ bytes: [UInt8], _ comment: Comment) {
        #expect(throws: FastCGIError.self, comment) { try gate(bytes) }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 16, 100, 100_000])
    func `A request comes out whole however it is cut`(portion: Int) throws {
        let body = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let gate = try gate(
            Wire.begin(id: 300, keep: true) + Wire.record(4, id: 300, parameters, padding: 255)
                + Wire.record(4, id: 300, padding: 3) + Wire.record(5, id: 300, body[..<65_535])
                + Wire.record(5, id: 300, body[65_535...], padding: 255) + Wire.record(5, id: 300),
            portion: portion)
        #expect(gate.phase == .ended)
        #expect(gate.requestID == 300)
        #expect(gate.keepsConnection)
        #expect(gate.parameters == parameters)
        #expect(gate.body == body)
        #expect(gate.replies.isEmpty)
    }

    @Test func `Parameters may come a byte a record`() throws {
        let records = parameters.flatMap { Wire.record(4, [$0], padding: Int($0) % 256) }
        let gate = try gate(Wire.begin() + records + Wire.record(4) + Wire.record(5))
        #expect(gate.phase == .ended)
        #expect(gate.parameters == parameters)
    }

    @Test func `Padding of the last record does not spill into the next request`() throws {
        let one = Wire.begin(keep: true) + Wire.record(4) + Wire.record(5, padding: 200)
        var gate = RecordGate(parameterLimit: 100)
        for _ in 0..<2 {
            for portion in [one[..<30], one[30...]] { #expect(try gate.take(portion) > 0) }
            #expect(gate.phase == .ended)
            gate.reset()
            #expect(gate.isUntouched)
        }
    }

    @Test func `Reading stops at the end of a request`() throws {
        let one = Wire.request("/x", body: [1, 2, 3])
        var gate = RecordGate(parameterLimit: 65_536)
        #expect(try gate.take((one + one)[...]) == one.count)
    }

    @Test func `Records out of order or out of the protocol are refused`() {
        let head = Wire.begin() + Wire.record(4, parameters) + Wire.record(4)
        expectRefused(Wire.record(1, [0, 1, 0, 0, 0, 0, 0, 0], version: 2), "another version")
        expectRefused(Wire.record(1, [0, 1, 0, 0]), "a short begin")
        expectRefused(Wire.record(1, [UInt8](repeating: 0, count: 9)), "a long begin")
        expectRefused(Wire.record(1, id: 0, [0, 1, 0, 0, 0, 0, 0, 0]), "a begin without number")
        expectRefused(Wire.record(4, parameters), "parameters before begin")
        expectRefused(Wire.record(5, [1]), "a body before begin")
        expectRefused(Wire.begin() + Wire.record(5, [1]), "a body before the parameters' end")
        expectRefused(Wire.begin() + Wire.begin(), "the same request begun twice")
        expectRefused(head + Wire.record(4, parameters), "parameters after their end")
        expectRefused(head + Wire.record(8, [1]), "a filter's data")
        for type: UInt8 in [0, 3, 6, 7, 10, 11, 12, 200] {
            expectRefused(head + Wire.record(type, [1]), "type \(type) in a request")
        }
        expectRefused(Wire.record(9, id: 0, [UInt8](repeating: 1, count: 300)), "a long question")
        expectRefused(Wire.begin(role: 2), "an authorizer")
        expectRefused(Wire.begin(role: 3), "a filter")
    }

    @Test func `Too many parameter bytes are refused when they are announced`() {
        #expect(throws: FastCGIError.brokenProtocol("parameters of more than 100 bytes")) {
            try gate(Wire.begin() + [1, 4, 0, 1, 0, 101, 0, 0], limit: 100)
        }
    }

    @Test func `A request that is given up ends the connection`() {
        #expect(throws: FastCGIError.connectionLost) { try gate(Wire.begin() + Wire.record(2)) }
    }

    @Test func `Giving up what has ended changes nothing`() throws {
        let gate = try gate(Wire.record(2, id: 7) + Wire.request("/x"))
        #expect(gate.phase == .ended)
    }

    @Test func `A second request on the connection is declined and its records dropped`() throws {
        let gate = try gate(
            Wire.begin() + Wire.begin(id: 2) + Wire.record(4, parameters)
                + Wire.record(4, id: 2, [9, 9, 9]) + Wire.record(4) + Wire.record(5, id: 2, [1])
                + Wire.record(5, [7]) + Wire.record(2, id: 2) + Wire.record(5))
        #expect(gate.phase == .ended)
        #expect(gate.parameters == parameters)
        #expect(gate.body == [7])
        #expect(gate.replies == Wire.record(3, id: 2, [0, 0, 0, 0, 1, 0, 0, 0]))
    }

    @Test func `An authorizer is told that its role is unknown`() {
        var gate = RecordGate(parameterLimit: 100)
        #expect(throws: FastCGIError.self) { try gate.take(Wire.begin(role: 2)[...]) }
        #expect(gate.replies == Wire.record(3, [0, 0, 0, 0, 3, 0, 0, 0]))
    }

    @Test func `Questions beside requests are answered`() throws {
        let asked = Wire.pairs([("FCGI_MAX_CONNS", ""), ("FCGI_MPXS_CONNS", ""), ("X", "")])
        let answer = Wire.pairs([("FCGI_MPXS_CONNS", "0")])
        #expect(try gate(Wire.record(9, id: 0, asked)).replies == Wire.record(10, id: 0, answer))
        #expect(try gate(Wire.record(9, id: 0)).replies == Wire.record(10, id: 0))
        let unknown = Wire.record(11, id: 0, [77, 0, 0, 0, 0, 0, 0, 0])
        #expect(try gate(Wire.record(77, id: 0, [1, 2])).replies == unknown)
        expectRefused(
            [[UInt8]](repeating: Wire.record(77, id: 0), count: 100).flatMap(\.self), "a flood")
    }

    @Test func `Pairs that do not fit or would be cut short are refused`() throws {
        func check(_ content: [UInt8]) throws { try ParameterPairs(content[...]).check() }
        func many(_ count: Int) -> [UInt8] {
            [[UInt8]](repeating: Wire.pair("A", []), count: count).flatMap(\.self)
        }
        try check([])
        try check(many(1024))
        try check(Wire.pair("LONG", [UInt8](repeating: 65, count: 40_000)))
        try check(Wire.pair("EMPTY", []))
        let bad: [[UInt8]] = [
            [5], [1, 1, 65], [0x80, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1],
            [1, 0xFF, 0xFF, 0xFF, 0xFF, 65], [0, 1, 65], Wire.pair("A", [0]),
            Wire.pair("A\0B", [65]), Wire.pair("A=B", [65]),
            many(1025),
        ]
        for content in bad {
            #expect(throws: FastCGIError.self, "\(content.prefix(12))") { try check(content) }
        }
    }

    @Test func `Random bytes never get further than a refusal`() {
        var random = SystemRandomNumberGenerator()
        let valid = Wire.request("/x", body: [UInt8](repeating: 3, count: 500), keep: true)
        for _ in 0..<3000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[.random(in: bytes.indices, using: &random)] = .random(in: 0...255)
            }
            var gate = RecordGate(parameterLimit: 1000)
            var rest = bytes[...]
            while let taken = try? gate.take(rest), taken > 0 {
                rest = rest.dropFirst(taken)
                if gate.phase == .ended { gate.reset() }
            }
            #expect(gate.parameters.count <= 1000)
        }
    }
}
