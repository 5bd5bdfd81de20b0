import Foundation
import Testing
import TestSupport

@testable import API

@Suite struct `The forms of uploads` {
    private struct Header: Decodable {
        var header: Data
        var value: Data
        var parameters: [String: Data]
    }

    private struct Charset: Decodable {
        var label: String
        var bytes: Data
        var text: String
    }

    @Test func `header parameters are those python-multipart finds`() throws {
        let wanted = ["name", "filename", "boundary", "charset"]
        for recorded in try fixtures.decoded([Header].self, "form-headers.json") {
            let header = FormOptionsHeader(parsing: [UInt8](recorded.header))
            let source = String(decoding: recorded.header, as: UTF8.self)
            for type in ["multipart/form-data", "application/x-www-form-urlencoded"] {
                let isType = recorded.value == Data(type.utf8)
                #expect((header.value == type) == isType, "\(source)")
            }
            for key in wanted {
                #expect(
                    header.parameters[key] == recorded.parameters[key].map { [UInt8]($0) },
                    "\(key) in \(source)")
            }
        }
    }

    private struct Labels: Decodable {
        var sets: [Charset]
        var labels: [String: String]
        var unread: [String]
    }

    private func charset(_ label: String) -> FormCharset {
        FormCharset(label: label.unicodeScalars.map { UInt8($0.value) })
    }

    private func expect(_ recorded: Charset) {
        let text = charset(recorded.label).text(of: [UInt8](recorded.bytes))
        #expect(
            text.unicodeScalars.elementsEqual(recorded.text.unicodeScalars),
            "\(recorded.label): \([UInt8](recorded.bytes))")
    }

    @Test func `names are decoded as Python decodes them in the form's character set`() throws {
        let unread = Set(try fixtures.decoded(Labels.self, "charset-labels.json").unread)
        var differing: Set<String> = []
        for recorded in try fixtures.decoded([Charset].self, "form-charsets.json") {
            if unread.contains(recorded.label.lowercased()) {
                #expect(charset(recorded.label) == .latin1, "\(recorded.label)")
                differing.insert(recorded.label)
            } else {
                expect(recorded)
            }
        }
        #expect(
            differing == [
                "gbk", "gb18030", "big5", "shift_jis", "euc-kr", "gb2312", "euc_jp", "sjis",
            ])
    }

    @Test func `every byte of every set is what Python makes of it`() throws {
        let sets = try fixtures.decoded(Labels.self, "charset-labels.json").sets
        #expect(Set(sets.map(\.label)).count == 77)
        sets.forEach(expect)
    }

    @Test func `a label names the set that Python knows by it, however it is spelled`() throws {
        let recorded = try fixtures.decoded(Labels.self, "charset-labels.json")
        #expect(recorded.labels.count > 1900)
        for (label, set) in recorded.labels {
            #expect(charset(label) == charset(set), "\(label)")
        }
        for label in recorded.unread { #expect(charset(label) == .latin1, "\(label)") }
    }

    @Test func `a long text is decoded whole in every way`() {
        let count = 1 << 16
        for (label, pair, length) in [
            ("utf-8", [0xE9, 0xFF], count), ("koi8-r", [0xE9, 0xFF], count),
            ("utf-16", [0xE9, 0x00], count / 2), ("utf-32", [0xE9, 0x00, 0x00, 0x00], count / 4),
        ] as [(String, [UInt8], Int)] {
            let bytes = (0..<count).map { pair[$0 % pair.count] }
            #expect(charset(label).text(of: bytes).unicodeScalars.count == length, "\(label)")
        }
        #expect(
            PythonText.unquotedPlus([UInt8](repeating: 0xE9, count: count)).utf8.count == 2 * count)
    }

    @Test(arguments: [
        ("file=abc%20d+e", "abc d e"), ("file=1&file=2", "2"), ("&&file==&", "="),
        ("fil%65=x", "x"), ("file=%E4%B8", "\u{FFFD}"), ("file=%zz%4", "%zz%4"),
    ])
    func `the last field of a URL-encoded form counts`(body: String, value: String) {
        for piece in [1, 2, 100] {
            let answer = upload(
                Array(body.utf8), contentType: "application/x-www-form-urlencoded",
                pieces: [piece])
            #expect(
                text(answer)
                    == #"{"detail":[{"type":"value_error","loc":["body","file"],"msg":"#
                    + #""Value error, Expected UploadFile, received: <class 'str'>","#
                    + #""input":"\#(value)","ctx":{"error":{}}}]}"#)
        }
    }

    @Test(arguments: ["", "file", "file=", "a=b", "file=x&file=", "&"])
    func `a URL-encoded form without a value misses the file`(body: String) {
        let answer = upload(Array(body.utf8), contentType: "application/x-www-form-urlencoded")
        #expect(
            text(answer)
                == #"{"detail":[{"type":"missing","loc":["body","file"],"#
                + #""msg":"Field required","input":null}]}"#)
    }

    @Test(arguments: [(1000, 422), (1001, 400)])
    func `a URL-encoded form has at most a thousand fields`(count: Int, status: Int) {
        let body = String(repeating: "a=1&", count: count)
        let answer = upload(Array(body.utf8), contentType: "application/x-www-form-urlencoded")
        #expect(answer.status == status)
    }

    @Test(arguments: [(1_048_576, 422), (1_048_577, 400)])
    func `a URL-encoded field has at most a mebibyte`(count: Int, status: Int) {
        let body = "a=" + String(repeating: "b", count: count - 1)
        let answer = upload(Array(body.utf8), contentType: "application/x-www-form-urlencoded")
        #expect(answer.status == status)
    }
}
