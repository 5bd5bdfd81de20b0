import Kernels
import Tensors
import Testing
import TestSupport

@Suite struct `Layer norm of a sum` {
    @Test(arguments: instructionSets, [(1, 32), (3, 384), (7, 1024)])
    func `agrees with mean and variance in double`(
        instructions: InstructionSet, size: (rows: Int, columns: Int)
    ) {
        let (rows, columns) = size
        let hidden = numbers(rows * columns, seed: 3, scale: 3).map { $0 + 5 }
        let addend = numbers(rows * columns, seed: 4, scale: 2)
        let bias = numbers(columns, seed: 5)
        let gain = numbers(columns, seed: 6).map { $0 + 1 }
        let shift = numbers(columns, seed: 7)
        var result = hidden
        var span = result.mutableSpan
        instructions.limiting {
            addLayerNorm(
                MutableMatrixView(&span, rows: rows, columns: columns),
                adding: MatrixView(addend.span, rows: rows, columns: columns), bias: bias.span,
                gain: gain.span, shift: shift.span, epsilon: 1e-12)
        }
        var twin: [Double] = []
        for i in 0..<rows {
            let row = (0..<columns).map { j in
                Double(hidden[i * columns + j]) + Double(addend[i * columns + j]) + Double(bias[j])
            }
            let mean = row.reduce(0, +) / Double(columns)
            let variance = row.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(columns)
            for j in 0..<columns {
                let normal = (row[j] - mean) / (variance + 1e-12).squareRoot()
                twin.append(normal * Double(gain[j]) + Double(shift[j]))
            }
        }
        let difference = largestDifference(result.span, twin)
        print("layer norm [\(rows), \(columns)], \(instructions): within \(difference)")
        #expect(difference < 5e-6)
    }

    @Test func `a constant row gives the shift`() {
        var hidden = [Float](repeating: 2, count: 32)
        let zeros = [Float](repeating: 0, count: 32)
        let shift = numbers(32, seed: 8)
        var span = hidden.mutableSpan
        addLayerNorm(
            MutableMatrixView(&span, rows: 1, columns: 32),
            adding: MatrixView(zeros.span, rows: 1, columns: 32), bias: zeros.span,
            gain: shift.span, shift: shift.span, epsilon: 1e-12)
        #expect(hidden == shift)
    }
}
