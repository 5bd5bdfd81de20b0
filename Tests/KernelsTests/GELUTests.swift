import Foundation
import Kernels
import Tensors
import Testing
import TestSupport

@Suite struct `GELU` {
    @Test(arguments: instructionSets)
    func `agrees with the error function in double`(instructions: InstructionSet) {
        // [-10, 10] in steps of 1/3,200, and numbers far outside.
        var input = (0..<64_000).map { Float($0 - 32_000) / 3_200 }
        input += [-1e30, -1e4, -100, -20, 20, 100, 1e4, 1e30, 0, -0.0, 1e-30, -1e-30, 1, -1, 3, -3]
        let bias = [Float](repeating: 0, count: input.count)
        var values = input
        var span = values.mutableSpan
        instructions.limiting {
            gelu(MutableMatrixView(&span, rows: 1, columns: input.count), adding: bias.span)
        }
        var absolute = 0.0
        var relative = 0.0
        for (x, y) in zip(input, values) {
            let twin = Double(x) * erfc(-Double(x) / 2.0.squareRoot()) / 2
            let difference = abs(Double(y) - twin)
            if abs(x) <= 10 { absolute = max(absolute, difference) }
            if x > 0 { relative = max(relative, difference / twin) }
            if x <= -20 { #expect(y == 0, "gelu(\(x)) = \(y)") }
        }
        print("GELU, \(instructions): within \(absolute), if x > 0 within \(relative) of it")
        #expect(absolute < 7.2e-7)
        #expect(relative < 2.4e-7)
    }

    @Test func `adds the bias and leaves what lies between rows alone`() {
        let (rows, columns, stride) = (5, 48, 64)
        let input = numbers(rows * stride, seed: 1, scale: 4)
        let bias = numbers(columns, seed: 2)
        var values = input
        var span = values.mutableSpan
        gelu(
            MutableMatrixView(&span, rows: rows, columns: columns, stride: stride),
            adding: bias.span)
        let twin = input.indices.map { i in
            let x = Double(input[i]) + Double(i % stride < columns ? bias[i % stride] : 0)
            return i % stride < columns ? x * erfc(-x / 2.0.squareRoot()) / 2 : x
        }
        #expect(largestDifference(values.span, twin) < 1e-6)
    }
}
