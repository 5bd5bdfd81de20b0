import Foundation
import Inference
import Testing
import StandIns

@testable import API

/// A form of one file of `textBytes`, made as it is read.
private struct GeneratedBody: BodySource {
    static let head = Array(
        "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n".utf8)
    static let tail = Array("\r\n--X--\r\n".utf8)
    static let line = Array(
        repeatElement("one line of the text, to be read again and again\r\n".utf8, count: 1000)
            .joined())

    let textBytes: Int
    private var position = 0
    private(set) var mostResident = 0

    init(textBytes: Int) { self.textBytes = textBytes }

    var declaredLength: Int? { Self.head.count + textBytes + Self.tail.count }

    mutating func read(upTo limit: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int {
        mostResident = max(mostResident, residentBytes())
        let inText = position - Self.head.count
        let next =
            if inText < 0 {
                Self.head[position...]
            } else if inText < textBytes {
                Self.line[(inText % Self.line.count)...].prefix(textBytes - inText)
            } else {
                Self.tail[(inText - textBytes)...]
            }
        buffer.append(contentsOf: next.prefix(limit))
        position += min(limit, next.count)
        return min(limit, next.count)
    }
}

/// The process's anonymous memory in use, from the kernel.
private func residentBytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
        let kibibytes = Int(line.split(separator: " ").dropLast().last ?? "")
    else { return 0 }
    return kibibytes * 1024
}

@Suite struct `The memory of an upload` {
    @Test func `an upload is held once`() {
        let textBytes = 60 << 20
        // Tests that run beside this one take memory too: the least of several counts.
        let more = (0..<6).map { _ in memoryBeyond(textBytes) }.min() ?? 0
        print("upload of \(textBytes >> 20) MiB: \(more >> 10) KiB beyond the text")
        // A second copy would be 60 MiB.
        #expect(more < 30 << 20)
    }

    /// Memory taken at most, beyond its text, while an upload of `textBytes` is read.
    private func memoryBeyond(_ textBytes: Int) -> Int {
        var source = GeneratedBody(textBytes: textBytes)
        let service = StandInService()
        let before = residentBytes()
        let answer = Application(service: service, limits: Limits()).respond(
            to: Request(
                method: "POST", path: "/upload/",
                headers: ["content-type": "multipart/form-data; boundary=X"]),
            body: &source)
        let after = residentBytes()
        #expect(answer.status == 200)
        #expect(service.trained.first?.count == textBytes)
        return max(source.mostResident, after) - before - textBytes
    }
}
