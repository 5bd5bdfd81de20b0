import Testing

@testable import JSON

@Suite struct `JSON documents` {
    private func value(_ text: String) throws(JSONError) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8))
    }

    @Test func `a small document is read whole, names in order`() throws {
        let text = #"{"b":[1,-2.5,"文\n",true,null],"a":{"x":{}},"b2":9007199254740993}"#
        let value = try value(text)
        var output: [UInt8] = []
        value.write(into: &output)
        #expect(String(decoding: output, as: UTF8.self) == text)
    }

    @Test(arguments: [
        "-01", "{'a':1}", "[1,]", "nul", "[1] x", "{\"a\":1,}", "\u{FEFF}x", "", "{\"a\":/**/1}",
        "tRUE",
    ])
    func `what json-c alone would take is refused with Python's message`(text: String) {
        let error = #expect(throws: JSONError.self) { try value(text) }
        #expect(error?.cause == .syntax)
    }

    @Test(arguments: [
        #"[9223372036854775808]"#, #"{"a\u0000b":1}"#, #"["\ud800"]"#, #"{"\udc00":1}"#, "[NaN]",
        #"{"a":[-Infinity]}"#, "[1e999]",
    ])
    func `what json-c would change is refused`(text: String) {
        let error = #expect(throws: JSONError.self) { try value(text) }
        #expect(error?.cause == .unsupported)
    }

    @Test func `depth is limited by the check, not by json-c`() throws {
        let text = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try value(text)
        let error = #expect(throws: JSONError.self) { try value("[\(text)]") }
        #expect(error?.cause == .depth)
    }

    @Test func `names that look alike are different members`() throws {
        guard case .object(let object) = try value("{\"\u{E9}\":1,\"e\u{301}\":2}") else {
            Issue.record("no object")
            return
        }
        #expect(object.members.count == 2)
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
    }

    @Test(arguments: [3, 8, 9, 500])
    func `an object of any size finds its members`(count: Int) {
        var object = JSONObject()
        for round in 0..<2 {
            for i in 0..<count { object["k\(i)"] = .integer(i + round) }
        }
        #expect(object.keys == (0..<count).map { "k\($0)" })
        #expect((0..<count).allSatisfy { object["k\($0)"] == .integer($0 + 1) })
        #expect(object["k\(count)"] == nil)
    }
}
