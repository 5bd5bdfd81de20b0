import Glibc
import Inference
import TestSupport
import Testing

@testable import denoiser

/// A pipe whose both ends do what they are told.
private final class Pipe {
    let output: Int32
    private var input: Int32

    init() {
        var ends: (Int32, Int32) = (-1, -1)
        let made = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self))
        }
        precondition(made == 0, "no pipe")
        (output, input) = ends
    }

    func send(_ bytes: some Collection<UInt8>) throws {
        try writeAll(Array(bytes), to: input, name: "a pipe")
    }

    func end() {
        if input >= 0 { close(input) }
        input = -1
    }

    deinit {
        end()
        close(output)
    }
}

@Suite struct `Lines that come in pieces` {
    @Test func `are those of the whole text, whatever the pieces`() throws {
        var generator = SplitMix(state: 28)
        for _ in 0..<400 {
            let length = Int.random(in: 0...40, using: &generator)
            let text = (0..<length).map { _ in
                Array("ab\r\n\r\n".utf8)[Int.random(in: 0..<6, using: &generator)]
            }
            let pipe = Pipe()
            let reader = LineReader(pipe.output, name: "pipe")
            var found: [[UInt8]] = []
            var rest = text[...]
            reading: while true {
                switch try reader.next(waiting: false) {
                case .line(let line): found.append(Array(reader.bytes[line]))
                case .nothingYet:
                    let piece = rest.prefix(Int.random(in: 1...5, using: &generator))
                    rest = rest.dropFirst(piece.count)
                    if piece.isEmpty { pipe.end() } else { try pipe.send(piece) }
                    continue
                case .end:
                    let whole = TextLines(of: text).map { Array(text[$0]) }
                    #expect(found == whole && reader.number == whole.count, "\(text)")
                    #expect(reader.beginning == Array(text.prefix(2)))
                    break reading
                }
            }
        }
    }

    @Test func `are there as soon as their ends are`() throws {
        let pipe = Pipe()
        let reader = LineReader(pipe.output, name: "pipe")
        func next() throws -> String? {
            guard case .line(let line) = try reader.next(waiting: false) else { return nil }
            return String(decoding: reader.bytes[line], as: UTF8.self)
        }
        for (sent, expected) in [
            ("a", nil), ("b\n", "ab"), ("c\r", "c"), ("\n", nil), ("\r", ""), ("d\n", "d"),
            ("\r\n", ""), ("e", nil),
        ] as [(String, String?)] {
            try pipe.send(sent.utf8)
            #expect(try next() == expected, "\(sent)")
        }
        pipe.end()
        #expect(try next() == "e")
        guard case .end = try reader.next(waiting: false) else {
            Issue.record("no end")
            return
        }
    }

    @Test func `longer than a piece are whole`() throws {
        let pipe = Pipe()
        let reader = LineReader(pipe.output, name: "pipe")
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
        try pipe.send([UInt8(ascii: "\n")])
        guard case .line(let empty) = try reader.next(waiting: true) else {
            Issue.record("no line")
            return
        }
        #expect(empty.isEmpty)
        for _ in 0..<4 {
            try pipe.send(long)
            guard case .nothingYet = try reader.next(waiting: false) else {
                Issue.record("half a line")
                return
            }
        }
        try pipe.send([UInt8(ascii: "\n")])
        guard case .line(let line) = try reader.next(waiting: true) else {
            Issue.record("no line")
            return
        }
        #expect(line.count == 240_000)
    }
}
