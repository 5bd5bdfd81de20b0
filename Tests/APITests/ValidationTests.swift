import Foundation
import JSON
import Testing
import StandIns

@testable import API

@Suite struct `Validation` {
    private func issues(_ path: String, _ body: String) -> String { text(ask("POST", path, body)) }

    @Test func `what only we object to is told only where the reference finds nothing`() {
        let short = #"{"embeddings":[[1]],"noise_level":-1}"#
        #expect(
            issues("/denoise/embedding", short)
                == #"{"detail":[{"type":"greater_than_equal","loc":["body","noise_level"],"#
                + #""msg":"Input should be greater than or equal to 0","input":-1,"ctx":{"ge":0.0}}]}"#
        )
        let infinite = #"{"embeddings":[[1],"x"],"noise_level":1e999}"#
        #expect(
            issues("/denoise/embedding", infinite)
                == #"{"detail":[{"type":"list_type","loc":["body","embeddings",1],"#
                + #""msg":"Input should be a valid list","input":"x"}]}"#)
    }

    @Test func `a row's values are looked at before its length, and every row is`() {
        let body = #"{"embeddings":[[1,NaN],[2],\#(embedding([3: "\"inf\"", 9: "1e39"]))]}"#
        let finite = #""msg":"Input should be a finite number","input":"#
        #expect(
            issues("/denoise/embedding", body)
                == #"{"detail":[{"type":"finite_number","loc":["body","embeddings",0,1],\#(finite)null},"#
                + #"{"type":"value_error","loc":["body","embeddings",1],"#
                + #""msg":"Value error, expected 384 values, got 1","input":[2]},"#
                + #"{"type":"finite_number","loc":["body","embeddings",2,3],\#(finite)"inf"},"#
                + #"{"type":"finite_number","loc":["body","embeddings",2,9],\#(finite)1e+39}]}"#)
    }

    @Test func `what JSON cannot hold is echoed as null or as an escape`() {
        let body = #"{"texts":{"a":[NaN,-Infinity,1e999],"b":"\ud800x\udc00","c":1e22}}"#
        #expect(
            issues("/denoise/text", body)
                == #"{"detail":[{"type":"list_type","loc":["body","texts"],"#
                + #""msg":"Input should be a valid list","input":"#
                + #"{"a":[null,null,null],"b":"\ud800x\udc00","c":1e+22}}]}"#)
    }

    @Test func `a body that is no text is echoed with replacement characters`() {
        var body = PiecewiseBody([0x61, 0xFF, 0x62])
        let answer = Application(service: StandInService())
            .respond(to: Request(method: "POST", path: "/denoise/text"), body: &body)
        #expect(answer.status == 422)
        #expect(text(answer).hasSuffix("\"input\":\"a\u{FFFD}b\"}]}"))
    }

    /// Measured with pydantic 2.14.3.
    @Test(arguments: [
        ("1_0", 10), ("1e1_0", 1e10), ("+_1", 1), ("1_.0", 1), ("1.e5", 1e5), ("+.5", 0.5),
        ("5.", 5),
        ("\u{A0}1", 1), ("1\u{3000}", 1), ("\u{85}1", 1), ("00012", 12), ("1e-400", 0), ("-0", 0),
        ("1_000_000.5_5", 1_000_000.55), ("\t1\n", 1), ("\u{2028}1", 1),
    ])
    func `a string is a number as in Rust`(string: String, number: Float) throws {
        let embeddings = "[\(embedding([5: "\"\(string.escaped)\""]))]"
        let answer = ask("POST", "/denoise/embedding", #"{"embeddings":\#(embeddings)}"#)
        let body = try JSONDecoder().decode(DenoisedBody.self, from: Data(answer.body))
        #expect(body.denoised_embeddings[0][5] == number)
    }

    @Test(arguments: [
        " 1_0", "1_0 ", "1__0", "_1", "1_", "1e", "1e+", "e5", ".", "0x10", "1 0", "\u{1C}1",
        "\u{200B}1", "", "   ", "_", "\u{FF11}", "1f", "1.5e3.2", "--1", "+-1", "infinit",
        "\u{FEFF}1",
        "nan(1)", "1_0_", "0b1", "1e1e1",
    ])
    func `any other string is none`(string: String) {
        let body = #"{"texts":[],"noise_level":"\#(string.escaped)"}"#
        #expect(issues("/denoise/text", body).contains(#""type":"float_parsing""#))
    }

    @Test(arguments: [
        ("application/json", true), (" Application/JSON ; charset=x", true),
        ("application/a+json", true),
        ("application/+json", true), ("\u{A0}application/json\u{85}", true),
        ("application/json;", true),
        ("application/json/x", false), ("application / json", false), ("application/json+", false),
        ("text/json", false), ("json", false), ("", false), (";application/json", false),
        ("application/json, application/json", false), ("application/json-seq", false),
    ])
    func `a content type is JSON as Python's email package reads it`(type: String, isIt: Bool) {
        #expect(isJSON(contentType: type) == isIt)
    }

    @Test func `the last of several members counts, and its place is the first's`() {
        let body = #"{"a":1,"texts":["x"],"a":{"b":1,"b":2},"texts":3}"#
        #expect(issues("/denoise/text", body).hasSuffix(#""input":3}]}"#))
        #expect(
            issues("/denoise/embedding", body)
                .hasSuffix(#""input":{"a":{"b":2},"texts":3}}]}"#))
    }
}

extension String {
    /// As it stands between a JSON string's quotes.
    fileprivate var escaped: String {
        unicodeScalars.map {
            $0.value < 32
                ? "\\u00\($0.value < 16 ? "0" : "")" + String($0.value, radix: 16) : String($0)
        }
        .joined()
    }
}
