import Foundation
import TestSupport
import Testing

@testable import JSON

@Suite struct `Base64 of floats` {
    @Test func `any number of floats is what Foundation makes of their little-endian bytes`() {
        var generator = SplitMix(state: 8)
        for count in Array(0...40) + [383, 384, 385] {
            let values = (0..<count).map { _ in
                Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator))
            }
            let bytes = Data(
                values.flatMap { value in
                    (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) }
                })
            var output = Array("kept".utf8)
            appendBase64(values.span, to: &output)
            #expect(
                String(decoding: output, as: UTF8.self) == "kept" + bytes.base64EncodedString())
        }
    }

    @Test func `the standard alphabet is used, not the one for addresses`() {
        var output: [UInt8] = []
        let values = [Float(bitPattern: 0xFEFF_BFFB)]
        appendBase64(values.span, to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "+7///g==")
    }
}
