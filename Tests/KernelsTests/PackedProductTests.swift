import Kernels
import Tensors
import Testing

@Suite struct `Product with packed weights` {
    /// x[rows, depth] · weight[columns, depth]ᵀ into an output that holds 7 before.
    private func product(
        _ x: [Float], _ weight: [Float], rows: Int, columns: Int, depth: Int,
        transposed: Bool = false, stride: Int, count: Int
    ) -> [Float] {
        let packed = PackedWeight.pack(Tensor(shape: [columns, depth], copying: weight.span))
        let six = PackedWeight.rows
        var storage = [Float](repeating: .nan, count: Panels.count(rows: rows))
        var output = [Float](repeating: 7, count: count)
        for from in Swift.stride(from: 0, to: depth, by: Panels.mostDepth) {
            var storageSpan = storage.mutableSpan
            let panels = Panels(
                MatrixView(x.span, rows: rows, columns: depth),
                depth: from..<min(from + Panels.mostDepth, depth), in: &storageSpan)
            let sixes = MatrixView(packed.span, rows: columns / six, columns: depth * six)
            var span = output.mutableSpan
            if transposed {
                multiply(
                    panels, sixes: sixes, adding: from > 0,
                    into: MutableMatrixView(&span, rows: columns, columns: rows, stride: stride)
                        .transposed())
            } else {
                multiply(
                    panels, sixes: sixes, adding: from > 0,
                    into: MutableMatrixView(&span, rows: rows, columns: columns, stride: stride))
            }
        }
        return output
    }

    @Test(
        arguments: instructionSets,
        [
            (1, 6, 1), (1, 384, 384), (2, 12, 5), (4, 18, 100), (7, 96, 33), (8, 6, 384),
            (9, 30, 400), (16, 102, 7), (17, 384, 384), (31, 48, 1536), (40, 12, 384), (63, 66, 65),
            (64, 192, 96), (65, 24, 384), (100, 12, 800), (128, 198, 64), (130, 6, 385),
        ])
    func `agrees with the sum written out, in either order of the output`(
        instructions: InstructionSet, size: (rows: Int, columns: Int, depth: Int)
    ) {
        let (rows, columns, depth) = size
        let x = numbers(rows * depth, seed: 1)
        let weight = numbers(columns * depth, seed: 2)
        let whole = (rows + 15) / 16 * 16
        instructions.limiting {
            let across = product(
                x, weight, rows: rows, columns: columns, depth: depth,
                stride: columns + 5, count: rows * (columns + 5))
            let along = product(
                x, weight, rows: rows, columns: columns, depth: depth, transposed: true,
                stride: whole + 3, count: columns * (whole + 3))
            var (largest, isSame) = (0.0, true)
            for i in 0..<rows {
                for j in 0..<columns {
                    var sum = 0.0
                    for d in 0..<depth {
                        sum += Double(x[i * depth + d]) * Double(weight[j * depth + d])
                    }
                    let difference = abs(Double(across[i * (columns + 5) + j]) - sum)
                    // Not max(): a NaN must not be lost.
                    if !(difference <= largest) { largest = difference }
                    isSame = isSame && across[i * (columns + 5) + j] == along[j * (whole + 3) + i]
                }
                #expect(
                    across[(i * (columns + 5) + columns)..<((i + 1) * (columns + 5))].allSatisfy {
                        $0 == 7
                    })
            }
            #expect(isSame)
            for j in 0..<columns {
                let gap = (j * (whole + 3) + whole)..<((j + 1) * (whole + 3))
                #expect(along[gap].allSatisfy { $0 == 7 })
            }
            print("packed product \(size), \(instructions): within \(largest)")
            #expect(largest < 4e-5, "within \(largest)")
        }
    }

    @Test(arguments: instructionSets)
    func `gives a row the same bits alone and among any number`(instructions: InstructionSet) {
        let (rows, columns, depth) = (150, 96, 500)
        let x = numbers(rows * depth, seed: 3)
        let weight = numbers(columns * depth, seed: 4)
        instructions.limiting {
            let together = product(
                x, weight, rows: rows, columns: columns, depth: depth, stride: columns,
                count: rows * columns)
            for i in 0..<rows {
                let alone = product(
                    Array(x[i * depth..<(i + 1) * depth]), weight, rows: 1, columns: columns,
                    depth: depth, stride: columns, count: columns)
                #expect(alone[...] == together[i * columns..<(i + 1) * columns])
            }
        }
    }
}
