import Testing

@testable import JSON

@Suite struct `JSON reader` {
    /// An array of numbers as the reader takes it, nil where it gives up.
    private func floats(_ text: String, count: Int) throws -> [Float]? {
        let text = try JSONText(decoding: Array(text.utf8))
        var reader = JSONReader(text)
        var values: [Float] = []
        return reader.appendArray(of: count, to: &values) && reader.isAtEnd() ? values : nil
    }

    @Test(arguments: [
        "[1]", "[1,2,3]", "[1 2]", "[1,2", "[1,,2]", "[,2]", "[1,]", "[]", "[01,2]", "[1.,2]",
        "[.5,2]",
        "[1e,2]", "[1e+,2]", "[+1,2]", "[-,2]", "[--1,2]", "[1,null]", "[1,true]", "[1,\"2\"]",
        "[1,[2]]",
        "[1,NaN]", "[1,Infinity]", "[1,-Infinity]", "[1,1e39]", "[1,-1e400]", "[1,2]]", "[1,2],",
        "(1,2)",
        "[1e5e5,2]", "[0x1,2]", "[1_0,2]", "[1.2.3,4]", "[-01,2]", "[00,2]", "[1,2]\u{0}",
        "[1,2\u{A0}]",
        "[1.5;2]", "[1.5 2]", "[1.5.,2]", "[1.5e,2]", "[1.,2.5]", "[-.5,2]", "[1./,2]", "[1.5:,2]",
        "[:.5,2]", "[/.5,2]", "[1.\u{B5},2]", "[1.5,,2]", "[1.5,]", "[01.5,2]", "[--1.5,2]",
        "[1.12345678\u{B1},2]", "[1.1234567812345678-,2]",
    ])
    func `anything but two finite numbers is given up`(text: String) throws {
        #expect(try floats(text, count: 2) == nil)
        // With room behind it for more bytes at once.
        #expect(try floats(text + String(repeating: " ", count: 40), count: 2) == nil)
    }

    @Test func `eight bytes are digits up to the first that is none`() {
        for place in 0..<8 {
            for byte in UInt64(0)...255 {
                let digits: UInt64 = 0x3837_3635_3433_3231
                let text = digits & ~(0xFF << UInt64(8 * place)) | byte << UInt64(8 * place)
                let eight = EightDigits(text)
                if isDigit(UInt8(byte)) {
                    #expect(eight.isFull)
                    let number = "12345678".prefix(place) + "\(byte - 0x30)"
                    #expect(eight.eight == UInt64(number + "12345678".dropFirst(place + 1)))
                } else {
                    #expect(!eight.isFull)
                    #expect(eight.count == place)
                    #expect(eight.appended(to: 9) == UInt64("9" + "12345678".prefix(place)))
                }
            }
        }
    }

    @Test(
        arguments: [
            ("[1,2]", [1, 2]), (" [ 1 , 2 ] ", [1, 2]), ("[-0,0.0]", [-0.0, 0]),
            ("[1E+2,1e-2]", [100, 0.01]),
            ("[0e9999999999,1e-9999999999]", [0, 0]), ("[0.1,-0.1]", [0.1, -0.1]),
            ("[16777217,33554435]", [16_777_216, 33_554_436]),
            ("[1e-45,1e-46]", [.leastNonzeroMagnitude, 0]),
        ] as [(String, [Float])])
    func `two finite numbers are read`(text: String, values: [Float]) throws {
        let floats = try floats(text, count: 2)
        let read = try #require(floats)
        #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
    }

    @Test func `an integer that Python would not convert is given up`() throws {
        let zeros = String(repeating: "0", count: 4300)
        #expect(try floats("[0.\(zeros)1]", count: 1) == [0])
        #expect(try floats("[1\(zeros)]", count: 1) == nil)
    }

    @Test(arguments: [
        #""""#, #""a""#, #""文😀""#, #""\u6587\ud83d\ude00""#, #""\"\\\/\b\f\n\r\t""#, #""\u0000""#,
        #""\ud800""#, #""a\udc00\ud800b""#, #""e\u0301""#, #""\ud83d\u0041""#,
    ])
    func `a string is the one the tree holds`(text: String) throws {
        let text = try JSONText(decoding: Array(text.utf8))
        let tree = try JSONTree(text, depth: 1)
        var reader = JSONReader(text)
        let string = reader.string()
        let isAtEnd = reader.isAtEnd()
        let read = try #require(string)
        let whole = String(replacingSurrogatesIn: tree.string(of: tree.root))
        #expect(read.utf8.elementsEqual(whole.utf8))
        #expect(isAtEnd)
    }

    @Test func `an unpaired surrogate becomes one replacement character`() throws {
        let bytes: [[UInt8]] = [Array(#""a\ud800b""#.utf8), [34, 97, 0xED, 0xA0, 0x80, 98, 34]]
        for body in bytes {
            let text = try JSONText(decoding: body)
            var reader = JSONReader(text)
            let string = reader.string()
            #expect(string == "a\u{FFFD}b")
        }
    }
}
