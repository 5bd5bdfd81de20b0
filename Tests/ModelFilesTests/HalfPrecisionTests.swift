import Tensors
import Testing

@testable import ModelFiles

@Suite struct `Half precision` {
    @Test func `every half-precision number is read as the processor widens it`() {
        let bits = (0...UInt16.max).map { $0 }
        let bytes = bits.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let tensor = Tensor(shape: [bits.count], halves: bytes[...])
        var wrong: [UInt16] = []
        for (i, bits) in bits.enumerated() {
            let expected = Float(Float16(bitPattern: bits))
            let got = tensor.span[i]
            let isEqual =
                expected.isNaN ? got.isNaN : got.bitPattern == expected.bitPattern
            if !isEqual { wrong.append(bits) }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }
}
