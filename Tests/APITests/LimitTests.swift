import Foundation
import Inference
import Testing
import StandIns

@testable import API

@Suite struct `Limits of a JSON request` {
    private func application(_ change: (inout Limits) -> Void) -> Application {
        var limits = Limits()
        change(&limits)
        return Application(service: StandInService(), limits: limits)
    }

    @Test func `a declared length above the limit is refused before anything is read`() {
        let application = application { $0.bodyBytes = 100 }
        var body = PiecewiseBody([UInt8](repeating: 32, count: 101))
        let request = Request(method: "POST", path: "/denoise/text")
        let answer = application.respond(to: request, body: &body)
        #expect(answer.status == 413)
        #expect(text(answer) == #"{"detail":"Request body too large: 101 bytes, at most 100"}"#)
        #expect(body.position == 0)
    }

    @Test func `a body that declares nothing is read no further than the limit`() {
        let application = application { $0.bodyBytes = 100 }
        for (count, status) in [(100, 422), (101, 413), (5000, 413)] {
            var body = PiecewiseBody(
                [UInt8](repeating: 32, count: count), pieces: [30], declares: false)
            let request = Request(method: "POST", path: "/denoise/text")
            #expect(application.respond(to: request, body: &body).status == status)
            #expect(body.position <= 120)
        }
    }

    @Test func `texts beyond the limit are named and not looked at`() {
        let application = application { $0.texts = 3 }
        let four = #"{"texts":["a",1,null,"d"],"noise_level":-1}"#
        #expect(
            text(ask("POST", "/denoise/text", four, to: application))
                == #"{"detail":[{"type":"too_long","loc":["body","texts"],"#
                + #""msg":"List should have at most 3 items after validation, not 4","input":null,"#
                + #""ctx":{"field_type":"List","max_length":3,"actual_length":4}},"#
                + #"{"type":"greater_than_equal","loc":["body","noise_level"],"#
                + #""msg":"Input should be greater than or equal to 0","input":-1,"ctx":{"ge":0.0}}]}"#
        )
        let three = #"{"texts":["a","b","c"]}"#
        #expect(ask("POST", "/denoise/text", three, to: application).status == 200)
        let plainFour = #"{"texts":["a","b","c","d"]}"#
        #expect(ask("POST", "/denoise/text", plainFour, to: application).status == 422)
    }

    @Test func `rows beyond the limit are named`() {
        let application = application { $0.rows = 2 }
        let rows = [embedding(), embedding(), embedding()]
        for (count, status) in [(2, 200), (3, 422)] {
            let body = #"{"embeddings":[\#(rows.prefix(count).joined(separator: ","))]}"#
            let answer = ask("POST", "/denoise/embedding", body, to: application)
            #expect(answer.status == status)
            #expect(
                text(answer).contains("at most 2 items after validation, not 3") == (count == 3))
        }
    }

    @Test func `errors are listed up to the limit`() throws {
        let application = application { $0.issues = 5 }
        for count in [4, 5, 6, 50] {
            let body = "{\"embeddings\":[\((0..<count).map(String.init).joined(separator: ","))]}"
            let answer = ask("POST", "/denoise/embedding", body, to: application)
            let object = try JSONSerialization.jsonObject(with: Data(answer.body))
            let list = (object as? [String: Any])?["detail"] as? [Any]
            #expect(list?.count == min(count, 5))
        }
    }

    @Test func `errors quote up to the limit, and then nothing`() {
        let application = application { $0.quotedBytes = 10 }
        let quotes: [(String, String)] = [
            (#"{"texts":[12345,67890,1]}"#, "12345 67890 null"),
            (#"{"texts":[12345,678901,2,3]}"#, "12345 null null null"),
            (#"{"texts":[[1,2,3,4],5]}"#, "[1,2,3,4] 5"),
            (#"{"texts":[[1,2,3,4,5],5]}"#, "null null"),
        ]
        for (body, expected) in quotes {
            let answer = text(ask("POST", "/denoise/text", body, to: application))
            let inputs = answer.components(separatedBy: #""input":"#).dropFirst().map {
                String($0.prefix { $0 != "}" })
            }
            #expect(inputs.joined(separator: " ") == expected)
        }
        #expect(
            text(ask("POST", "/denoise/text", "a text of no type", type: nil, to: application))
                .contains(#""input":null"#))
    }

    @Test func `depth is limited as the reference's is`() {
        for (depth, status) in [(961, 422), (962, 400)] {
            let body = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(ask("POST", "/denoise/text", body).status == status)
        }
    }

    @Test func `a body cut short is not looked at`() {
        struct Broken: BodySource {
            var declaredLength: Int? { 20 }
            mutating func read(upTo: Int, into buffer: inout [UInt8]) throws(BodyError) -> Int {
                throw .wrongLength
            }
        }
        var body = Broken()
        let request = Request(
            method: "POST", path: "/denoise/text", headers: ["content-type": "application/json"])
        let answer = Application(service: StandInService()).respond(to: request, body: &body)
        #expect(answer.status == 400)
        #expect(text(answer) == #"{"detail":"There was an error parsing the body"}"#)
    }
}
