import Foundation
import Testing
import TestSupport

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
        (try? fixtures.decoded(Recording.self, "upload-cases.json").cases) ?? []
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

@Suite struct `Uploads that FastAPI answered` {
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
