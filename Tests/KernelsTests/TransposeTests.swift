import Kernels
import Tensors
import Testing

@Suite struct `A transposed matrix` {
    @Test(
        arguments: instructionSets,
        [(1, 1), (3, 40), (4, 16), (8, 33), (16, 384), (17, 5), (32, 64), (37, 50)])
    func `turns rows into columns and touches nothing else`(
        instructions: InstructionSet, size: (rows: Int, columns: Int)
    ) {
        let (rows, columns) = size
        let (strideX, strideY) = (columns + 3, rows + 5)
        let x = numbers(rows * strideX, seed: 1)
        var y = [Float](repeating: 7, count: columns * strideY)
        var span = y.mutableSpan
        instructions.limiting {
            transpose(
                MatrixView(x.span, rows: rows, columns: columns, stride: strideX),
                into: MutableMatrixView(&span, rows: columns, columns: rows, stride: strideY))
        }
        for c in 0..<columns {
            for r in 0..<strideY {
                #expect(y[c * strideY + r] == (r < rows ? x[r * strideX + c] : 7))
            }
        }
    }
}
