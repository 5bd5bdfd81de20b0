import Foundation
import Testing

@testable import API

/// A recorded request and what FastAPI answered.
struct UploadCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var headers: [[String]]
    var body: Data
    var expect: Expectation

    struct Expectation: Decodable, Sendable {
        var status: Int
        var json: Detail?
        var upload: Upload?
    }

    struct Upload: Codable, Sendable, Equatable {
        var filename: String
        var word_count: Int
    }

    var testDescription: String { name }

    static func all() -> [UploadCase] {
        (try? fixture(Recording.self, "upload-cases.json").cases) ?? []
    }

    private struct Recording: Decodable { var cases: [UploadCase] }
}

/// The `detail` of an error body, whole.
struct Detail: Decodable, Sendable, Equatable {
    var detail: Content

    enum Content: Decodable, Sendable, Equatable {
        case text(String)
        case issues([Issue])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            self =
                if let text = try? container.decode(String.self) { .text(text) } else {
                    .issues(try container.decode([Issue].self))
                }
        }
    }

    struct Issue: Decodable, Sendable, Equatable {
        var type: String
        var loc: [String]
        var msg: String
        var input: String?
        var ctx: [String: [String: String]]?
    }
}

@Suite struct UploadCaseTests {
    @Test func `the recorded uploads are there`() {
        #expect(UploadCase.all().count == 69)
    }

    @Test(arguments: UploadCase.all())
    func `a recorded upload is answered as FastAPI answers it, however it is cut`(
        _ recorded: UploadCase
    ) throws {
        let body = [UInt8](recorded.body)
        let type = recorded.headers.first { $0[0] == "content-type" }?[1]
        let whole = upload(body, contentType: type)
        #expect(whole.status == recorded.expect.status)
        #expect(whole.headers.first?.value == "application/json")
        if let expected = recorded.expect.json {
            #expect(try JSONDecoder().decode(Detail.self, from: Data(whole.body)) == expected)
        }
        if let expected = recorded.expect.upload {
            #expect(
                try JSONDecoder().decode(UploadCase.Upload.self, from: Data(whole.body))
                    == expected)
        }

        var generator = SplitMix(state: 1)
        var cuts: [[Int]] = [[1], [2], [3, 1]]
        for _ in 0..<40 {
            cuts.append((0..<7).map { _ in Int.random(in: 1...24, using: &generator) })
        }
        for pieces in cuts {
            let cut = upload(body, contentType: type, pieces: pieces)
            #expect(cut.status == whole.status, "pieces \(pieces)")
            #expect(cut.body == whole.body, "pieces \(pieces)")
        }
    }
}

/// Steele, Lea and Flood's SplitMix64, for cuts that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
