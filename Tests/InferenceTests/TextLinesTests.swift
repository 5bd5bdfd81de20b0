import Inference
import Testing

private func lines(_ text: String) -> [String] {
    let bytes = Array(text.utf8)
    return TextLines(of: bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
}

@Suite struct `Lines of a text` {
    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\r", ["a"]), ("a\r\n", ["a"]),
        ("a\rb\rc", ["a", "b", "c"]), ("a\nb\r\nc\rd", ["a", "b", "c", "d"]),
        ("\r", [""]), ("\r\n", [""]), ("\r\r", ["", ""]), ("\n\r", ["", ""]),
        ("a\r\r\nb", ["a", "", "b"]), ("a\n\rb", ["a", "", "b"]), ("a\r\n\r\nb", ["a", "", "b"]),
        ("a\u{85}b\u{2028}c\u{2029}d\u{B}e\u{C}f", ["a\u{85}b\u{2028}c\u{2029}d\u{B}e\u{C}f"]),
        ("é\r文\n", ["é", "文"]),
    ])
    func `end at LF, CR LF or CR and at nothing else`(text: String, expected: [String]) {
        #expect(lines(text) == expected)
    }

    @Test func `have the numbers that an editor shows`() {
        let text = Array("a\r\nb\rc\n\rd\r\n\r\ne".utf8)
        for (letter, number) in [("a", 1), ("b", 2), ("c", 3), ("d", 5), ("e", 7)] {
            let offset = text.firstIndex(of: Array(letter.utf8)[0]) ?? -1
            #expect(TextLines.number(ofLineAt: offset, in: text) == number, "\(letter)")
        }
        // A line's end belongs to it, the second byte of a pair too.
        #expect(TextLines.number(ofLineAt: 1, in: text) == 1)
        #expect(TextLines.number(ofLineAt: 2, in: text) == 1)
        #expect(TextLines.number(ofLineAt: 4, in: text) == 2)
    }
}
