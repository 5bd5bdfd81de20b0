import Kernels
import Testing

@Suite struct `Matrix product` {
    @Test(arguments: [(1, 1, 1), (3, 5, 7), (8, 384, 384), (33, 17, 64)])
    func `agrees with the sum written out, for every transposition`(m: Int, n: Int, k: Int) {
        let a = (0..<m * k).map { Float(($0 * 7) % 13) / 13 - 0.5 }
        let b = (0..<k * n).map { Float(($0 * 5) % 11) / 11 - 0.5 }
        for transposeA in [Transposition.none, .transposed] {
            for transposeB in [Transposition.none, .transposed] {
                var output = Matrix(rows: m, columns: n)
                var span = output.mutableSpan
                multiply(a.span, transposeA, b.span, transposeB, m: m, n: n, k: k, into: &span)
                for i in 0..<m {
                    for j in 0..<n {
                        var sum = 0.0
                        for l in 0..<k {
                            let x = transposeA == .none ? a[i * k + l] : a[l * m + i]
                            let y = transposeB == .none ? b[l * n + j] : b[j * k + l]
                            sum += Double(x) * Double(y)
                        }
                        #expect(abs(Double(output.span[i * n + j]) - sum) < 1e-4)
                    }
                }
            }
        }
    }
}
