import Foundation
import Testing
import TestSupport

@testable import API

@Suite struct `Python's text` {
    private struct Text: Decodable {
        var bytes: Data
        var words: Int?
        var invalid: Int?
    }

    private struct Escaped: Decodable {
        var text: Data
        var value: String
    }

    @Test func `space is what Python's str.isspace says in all of Unicode`() {
        let spaces = (0..<0x11_0000).filter { PythonText.isSpace(UInt32($0)) }
        #expect(
            spaces == [
                9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 133, 160, 5760, 8192, 8193, 8194, 8195,
                8196, 8197, 8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288,
            ])
    }

    @Test(arguments: [1, 2, 3, 5, 1000])
    func `words and the first bad byte are Python's, however the text is cut`(piece: Int) throws {
        for text in try fixtures.decoded([Text].self, "utf8-texts.json") {
            var words = PythonTextWords()
            let bytes = [UInt8](text.bytes)
            for start in stride(from: 0, to: bytes.count, by: piece) {
                words.add(bytes.span.extracting(start..<min(start + piece, bytes.count)))
            }
            words.finish()
            #expect(words.invalidOffset == text.invalid, "\(bytes)")
            if let expected = text.words { #expect(words.count == expected, "\(bytes)") }
        }
    }

    @Test func `escapes are resolved as urllib's unquote_plus resolves them`() throws {
        for escaped in try fixtures.decoded([Escaped].self, "form-escapes.json") {
            let value = PythonText.unquotedPlus([UInt8](escaped.text))
            #expect(
                value.unicodeScalars.elementsEqual(escaped.value.unicodeScalars),
                "\(escaped.text.base64EncodedString())")
        }
    }
}
