import Foundation
import Kernels

/// Repeatable numbers in ±`scale`, about normal.
func numbers(_ count: Int, seed: UInt64, scale: Float = 1) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func next() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(state >> 40) / Float(1 << 24) - 0.5
    }
    return (0..<count).map { _ in (next() + next() + next()) * scale * 2 / 3 }
}

/// The instruction sets that this processor can run.
let instructionSets = InstructionSet.allCases.filter {
    $0.rawValue <= InstructionSet.current.rawValue
}
