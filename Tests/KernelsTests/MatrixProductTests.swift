import Kernels
import Tensors
import Testing
import TestSupport

@Suite struct `Matrix product` {
    @Test(arguments: [(1, 1, 1), (3, 5, 7), (8, 384, 384), (33, 17, 64)])
    func `agrees with the sum written out, for every transposition`(m: Int, n: Int, k: Int) {
        let a = numbers(m * k, seed: 1)
        let b = numbers(k * n, seed: 2)
        for (transposeA, transposeB) in [
            (false, false), (false, true), (true, false), (true, true),
        ] {
            for transposeOutput in [false, true] {
                let viewA =
                    transposeA
                    ? MatrixView(a.span, rows: k, columns: m).transposed
                    : MatrixView(a.span, rows: m, columns: k)
                let viewB =
                    transposeB
                    ? MatrixView(b.span, rows: n, columns: k).transposed
                    : MatrixView(b.span, rows: k, columns: n)
                var output = Matrix(
                    rows: transposeOutput ? n : m, columns: transposeOutput ? m : n)
                if transposeOutput {
                    multiply(viewA, viewB, into: output.mutableView.transposed())
                } else {
                    multiply(viewA, viewB, into: output.mutableView)
                }
                var twin = [Double](repeating: 0, count: m * n)
                for i in 0..<m {
                    for j in 0..<n {
                        var sum = 0.0
                        for l in 0..<k {
                            let x = transposeA ? a[l * m + i] : a[i * k + l]
                            let y = transposeB ? b[j * k + l] : b[l * n + j]
                            sum += Double(x) * Double(y)
                        }
                        twin[transposeOutput ? j * m + i : i * n + j] = sum
                    }
                }
                #expect(largestDifference(output.span, twin) < 1e-5)
            }
        }
    }

    /// [m, k] · [k, n] in double, or [n, k]ᵀ, rows apart as given, over an output that holds 7
    /// before.
    private func twin(
        _ a: [Float], _ b: [Float], _ transposeB: Bool, m: Int, n: Int, k: Int,
        strideA: Int, strideB: Int, strideOutput: Int
    ) -> [Double] {
        var output = [Double](repeating: 7, count: m * strideOutput)
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for l in 0..<k {
                    let y = transposeB ? b[j * strideB + l] : b[l * strideB + j]
                    sum += Double(a[i * strideA + l]) * Double(y)
                }
                output[i * strideOutput + j] = sum
            }
        }
        return output
    }

    @Test(
        arguments: instructionSets,
        [
            (1, 1, 1), (1, 64, 384), (2, 3, 5), (4, 4, 16), (6, 8, 100), (7, 13, 33), (13, 128, 7),
            (12, 30, 1536), (40, 50, 65), (50, 40, 384), (100, 7, 600), (64, 70, 400),
            (32, 384, 192), (65, 65, 64), (65, 128, 9), (192, 32, 128), (13, 32, 7), (70, 96, 20),
            (100, 64, 33), (3, 160, 384),
        ])
    func `agrees with the sum written out, for few rows and strides`(
        instructions: InstructionSet, size: (m: Int, n: Int, k: Int)
    ) {
        let (m, n, k) = size
        for transposeB in [false, true] {
            let (rowsB, columnsB) = transposeB ? (n, k) : (k, n)
            let (strideA, strideB, strideOutput) = (k + 3, columnsB + 1, n + 5)
            let a = numbers(m * strideA, seed: 3)
            let b = numbers(rowsB * strideB, seed: 4)
            var output = [Float](repeating: 7, count: m * strideOutput)
            var span = output.mutableSpan
            instructions.limiting {
                let viewB = MatrixView(b.span, rows: rowsB, columns: columnsB, stride: strideB)
                multiply(
                    MatrixView(a.span, rows: m, columns: k, stride: strideA),
                    transposeB ? viewB.transposed : viewB,
                    into: MutableMatrixView(&span, rows: m, columns: n, stride: strideOutput))
            }
            let expected = twin(
                a, b, transposeB, m: m, n: n, k: k, strideA: strideA, strideB: strideB,
                strideOutput: strideOutput)
            let difference = largestDifference(output.span, expected)
            #expect(difference < 2e-5, "\(transposeB): within \(difference)")
        }
    }

    @Test func `gives a row the same bits alone and among as many as the kernel takes`() {
        let (m, n, k) = (mostFewRows, 384, 384)
        let a = numbers(m * k, seed: 5)
        let b = numbers(n * k, seed: 6)
        var together = Matrix(rows: m, columns: n)
        let weight = MatrixView(b.span, rows: n, columns: k).transposed
        multiply(MatrixView(a.span, rows: m, columns: k), weight, into: together.mutableView)
        for i in 0..<m {
            var alone = Matrix(rows: 1, columns: n)
            let row = Array(a[i * k..<(i + 1) * k])
            multiply(
                MatrixView(row.span, rows: 1, columns: k), weight, into: alone.mutableView)
            for j in 0..<n { #expect(alone.span[j] == together.span[i * n + j]) }
        }
    }
}
