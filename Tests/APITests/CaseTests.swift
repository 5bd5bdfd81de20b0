import Foundation
import JSON
import Testing
import StandIns
import TestSupport

@testable import API

/// A recorded request with FastAPI's answer; `record.py` wrote it.
struct RecordedCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var method: String
    var target: String
    var headers: [String: String]
    var body: Data
    var status: Int
    var type: String?
    var allow: [String]?
    var location: String?
    var shape: [Int]?
    /// The whole body, to the byte.
    var answer: String?
    /// Whether the answer is ours and not the reference's.
    var differs: Bool

    var testDescription: String { name }

    static func all() -> [RecordedCase] {
        (try? fixtures.decoded([RecordedCase].self, "cases.json")) ?? []
    }

    /// The request as it comes out of the web server.
    var request: Request {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return Request(
            method: method, path: parts[0].removingPercentEncoding ?? "",
            query: parts.count > 1 ? String(parts[1]) : "",
            headers: headers.merging(["host": "h.example"]) { first, _ in first })
    }
}

@Suite struct `Recorded requests` {
    @Test func `are all there`() {
        let cases = RecordedCase.all()
        #expect(cases.count == 470)
        #expect(cases.count { $0.differs } == 23)
    }

    @Test(arguments: RecordedCase.all())
    func `are answered as FastAPI answers them`(_ recorded: RecordedCase) throws {
        for pieces in [[Int.max], [7, 1, 300]] {
            var body = PiecewiseBody([UInt8](recorded.body), pieces: pieces)
            let answer = Application(service: StandInService())
                .respond(to: recorded.request, body: &body)
            #expect(answer.status == recorded.status)
            #expect(answer["content-type"] == recorded.type)
            #expect(
                answer["allow"]?.split(separator: ", ").map(String.init).sorted()
                    == recorded.allow)
            #expect(answer["location"] == recorded.location.map { "http://h.example\($0)" })
            if recorded.method == "HEAD" {
                #expect(answer.body.isEmpty)
            } else if recorded.target == "/openapi.json", answer.status == 200,
                let expected = recorded.answer
            {
                try expectDocument(answer.body, contains: Array(expected.utf8))
            } else if let expected = recorded.answer {
                // Bytes, since canonically equal strings are equal to Swift.
                #expect(answer.body == Array(expected.utf8), "\(text(answer))")
            }
            if let shape = recorded.shape {
                let body = try JSONDecoder().decode(DenoisedBody.self, from: Data(answer.body))
                #expect(body.shape == shape)
                #expect(body.denoised_embeddings.count == shape[0])
                #expect(body.denoised_embeddings.allSatisfy { $0.count == shape[1] })
                #expect(body.processing_time_ms >= 0)
            }
        }
    }

    /// Paths and schemas of the reference stand unchanged in a document that may say more beside
    /// them.
    private func expectDocument(_ bytes: [UInt8], contains reference: [UInt8]) throws {
        func object(_ bytes: [UInt8]) throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        }
        let (ours, theirs) = (try object(bytes), try object(reference))
        func members(_ document: [String: Any], _ path: String...) throws -> [String: NSObject] {
            let place = path.reduce(document as Any?) { ($0 as? [String: Any])?[$1] }
            return try #require(place as? [String: NSObject])
        }
        #expect(try members(ours, "info") == members(theirs, "info"))
        #expect(ours["openapi"] as? String == theirs["openapi"] as? String)
        let paths = try members(ours, "paths")
        for (path, item) in try members(theirs, "paths") {
            #expect(paths[path] == item, "path \(path)")
        }
        var schemas = try members(ours, "components", "schemas")
        // On purpose, one member of the upload's form is ours.
        let form = "Body_upload_file_upload__post"
        var file = try members(ours, "components", "schemas", form, "properties", "file")
        #expect(file.removeValue(forKey: "format") == "binary" as NSString)
        var changed = try members(ours, "components", "schemas", form)
        changed["properties"] = ["file": file] as NSDictionary
        schemas[form] = changed as NSDictionary
        for (name, schema) in try members(theirs, "components", "schemas") {
            #expect(schemas[name] == schema, "schema \(name)")
        }
    }

    @Test(arguments: RecordedCase.all().filter { $0.shape != nil })
    func `that succeed give the same rows the short and the long way`(
        _ recorded: RecordedCase
    ) throws {
        // The short way takes only plain bodies; the long way takes them all.
        let limits = Limits()
        var source = PiecewiseBody([UInt8](recorded.body))
        guard
            case .json(let bytes) = try JSONBody.read(
                from: &source, of: recorded.request, limit: limits.bodyBytes)
        else {
            Issue.record("no JSON")
            return
        }
        let text = try JSONText(decoding: bytes)
        let tree = try JSONTree(text, depth: limits.jsonDepth)
        var issues = RequestIssues(limit: 1)
        if recorded.target.hasPrefix("/denoise/text") {
            let reading = TextReading(limit: limits.texts)
            let long = try #require(reading.slowRequest(tree, &issues))
            guard let short = reading.fastRequest(text) else { return }
            #expect(short.rows == long.rows)
            #expect(short.noiseLevel == long.noiseLevel)
        } else {
            let reading = EmbeddingReading(limit: limits.rows)
            let long = try #require(reading.slowRequest(tree, &issues))
            guard let short = reading.fastRequest(text) else { return }
            #expect(short.rows.map(\.bitPattern) == long.rows.map(\.bitPattern))
            #expect(short.noiseLevel == long.noiseLevel)
        }
    }

    @Test func `of the plain kind go the short way`() throws {
        let bodies = [#"{"texts":["a","文\n"],"noise_level":0.5}"#, #" { "texts" : [ "a" ] } "#]
        for body in bodies {
            let text = try JSONText(decoding: Array(body.utf8))
            #expect(TextReading(limit: 9).fastRequest(text) != nil)
        }
        let rows = #"{"noise_level":1e-2,"embeddings":[\#(embedding()),\#(embedding())]}"#
        let text = try JSONText(decoding: Array(rows.utf8))
        #expect(EmbeddingReading(limit: 2).fastRequest(text)?.rows.count == 768)
    }
}
