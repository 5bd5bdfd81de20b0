import Foundation
import Testing
import TestSupport

@testable import JSON

@Suite struct `JSON numbers` {
    @Test func `a double is printed as Python's repr prints it, and read back`() throws {
        for pair in try fixtures.decoded([[String]].self, "doubles.json") {
            let bits = try #require(UInt64(pair[0], radix: 16))
            var output: [UInt8] = []
            appendJSON(Double(bitPattern: bits), to: &output)
            #expect(String(decoding: output, as: UTF8.self) == pair[1])
            #expect(Double(jsonNumber: output.span).bitPattern == bits)
        }
    }

    @Test func `a float's digits are the shortest, and those that the standard library finds`() {
        // A stride prime to all powers of two, over every positive float.
        for bits in stride(from: UInt32(1), to: 0x7F80_0000, by: 30_011) {
            let value = Float(bitPattern: bits)
            let decimal = ShortestDecimal(value)
            #expect(
                Self.plain(decimal.digits, decimal.exponent) == Self.plain(of: value), "\(value)")
        }
    }

    @Test func `a float of any exponent has the digits that the standard library finds`() {
        var generator = SplitMix(state: 6)
        for exponent in UInt32(0)..<255 {
            var fractions: [UInt32] = [0, 1, 2, 3, 0x40_0000, 0x7F_FFFE, 0x7F_FFFF]
            fractions += (0..<200).map { _ in UInt32.random(in: 0...0x7F_FFFF, using: &generator) }
            for fraction in fractions where exponent > 0 || fraction > 0 {
                let value = Float(bitPattern: exponent << 23 | fraction)
                let decimal = ShortestDecimal(value)
                #expect(
                    Self.plain(decimal.digits, decimal.exponent) == Self.plain(of: value),
                    "\(value)")
            }
        }
    }

    @Test func `an array of any length is its values' texts and commas`() {
        var generator = SplitMix(state: 7)
        for count in 0...100 {
            let values = (0..<count).map { _ in
                Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            }
            var output: [UInt8] = []
            appendJSON(values.span, to: &output)
            let texts = values.map { value in
                var single: [UInt8] = []
                appendJSON([value].span, to: &single)
                return String(decoding: single.dropFirst().dropLast(), as: UTF8.self)
            }
            #expect(
                String(decoding: output, as: UTF8.self) == "[\(texts.joined(separator: ","))]")
        }
    }

    @Test func `a float is printed in Python's layout`() {
        let values: [(Float, String)] = [
            (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-1, "-1.0"), (0.1, "0.1"), (1.5, "1.5"),
            (100, "100.0"),
            (1e15, "1000000000000000.0"), (1e16, "1e+16"), (1.234e16, "1.234e+16"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"), (1e-5, "1e-05"), (-1.25e-5, "-1.25e-05"),
            (16_777_216, "16777216.0"),
            (123_456.79, "123456.79"), (.greatestFiniteMagnitude, "3.4028235e+38"),
            (.leastNonzeroMagnitude, "1e-45"), (.leastNormalMagnitude, "1.1754944e-38"),
            (0.3, "0.3"),
            (.infinity, "null"), (-.infinity, "null"), (.nan, "null"), (9_999_999, "9999999.0"),
        ]
        for (value, text) in values {
            var output: [UInt8] = []
            appendJSON([value].span, to: &output)
            #expect(String(decoding: output, as: UTF8.self) == "[\(text)]")
        }
    }

    @Test func `an array of floats is what it was after printing and reading`() throws {
        var generator = SplitMix(state: 4)
        for count in [0, 1, 2, 384] {
            let values = (0..<count).map { _ in
                Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &generator))
                    * (Bool.random(using: &generator) ? 1 : -1)
            }
            var output = Array("kept".utf8)
            appendJSON(values.span, to: &output)
            let read = try JSONDecoder().decode([Float].self, from: Data(output.dropFirst(4)))
            #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
            let text = try JSONText(decoding: Array(output.dropFirst(4)))
            var reader = JSONReader(text)
            var ours: [Float] = []
            if count > 0 {
                let isRead = reader.appendArray(of: count, to: &ours)
                #expect(isRead)
                #expect(ours.map(\.bitPattern) == values.map(\.bitPattern))
            }
        }
    }

    @Test func `a number becomes a float by way of a double, next to every kind of middle`() throws
    {
        var generator = SplitMix(state: 5)
        /// The double in the middle between two floats, or one up to `reach` doubles beside it.
        func besideAMiddle(_ bits: ClosedRange<UInt32>, by reach: Int64) -> String {
            let float = Float(bitPattern: .random(in: bits, using: &generator))
            let middle = (Double(float) + Double(float.nextUp)) / 2
            let beside = Int64.random(in: -reach...reach, using: &generator)
            return Double(bitPattern: middle.bitPattern &+ UInt64(bitPattern: beside)).description
        }
        var differences = 0
        for round in 0..<80_000 {
            let text: String
            switch round % 8 {
            case 0: text = Double.random(in: -1...1, using: &generator).description
            case 1:
                let digits = UInt64.random(in: 0...UInt64.max, using: &generator)
                text = "\(digits)e\(Int.random(in: -60...20, using: &generator))"
            case 2: text = besideAMiddle(0x2000_0000...0x5F00_0000, by: 4)
            case 3: text = "0.000\(UInt64.random(in: 0...UInt64.max, using: &generator))"
            case 4: text = "\(Int.random(in: -999...999, using: &generator))"
            case 5:
                let digits = UInt64.random(in: 0...UInt64.max, using: &generator)
                let zeros = String(repeating: "0", count: Int.random(in: 0...6, using: &generator))
                text = "-\(digits % 10).\(zeros)\("\(digits)".prefix(1 + round / 8 % 20))"
            case 6: text = besideAMiddle(0x3A00_0000...0x4100_0000, by: 9)
            default:
                let fraction = UInt64.random(in: 0...UInt64.max, using: &generator)
                text = "-1.\(fraction)E\(Int.random(in: -50...45, using: &generator))"
            }
            // The short way needs a comma right behind the number and more text behind that.
            let rest = String(repeating: " ", count: 40) + "0"
            let numbers = try JSONText(decoding: Array("[\(text),\(text) ,\(rest)]".utf8))
            var reader = JSONReader(numbers)
            var read: [Float] = []
            let expected = Float(unsafe strtod(text, nil))
            let isRead = reader.appendArray(of: 3, to: &read)
            let isSame = read.prefix(2).allSatisfy { $0.bitPattern == expected.bitPattern }
            if isRead ? !isSame : expected.isFinite {
                differences += 1
                Issue.record("\(text): \(read), \(expected)")
            }
        }
        #expect(differences == 0)
    }

    /// A decimal without zeros at its end.
    private static func plain(_ digits: UInt32, _ exponent: Int) -> String {
        digits % 10 == 0 ? plain(digits / 10, exponent + 1) : "\(digits)e\(exponent)"
    }

    private static func plain(of value: Float) -> String {
        let parts = value.description.split(separator: "e")
        let number = parts[0].split(separator: ".")
        let fraction = number.count > 1 ? number[1] : ""
        let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        return plain(UInt32(number[0] + fraction) ?? 0, power - fraction.count)
    }
}
