internal import COpenBLAS
internal import Glibc

/// The eigenvalues of a symmetric matrix, rising, and its eigenvectors.
public struct SymmetricEigen {
    /// [n], rising.
    public let values: [Double]
    /// A row of length 1 for each value, [n, n].
    public let vectors: [Double]

    /// Decomposes `matrix` [n, n], of which both triangles are given; nil if it is not finite.
    ///
    /// Householder's reduction to three diagonals, then implicit QL steps (Martin, Reinsch and
    /// Wilkinson 1968; Dubrulle, Martin and Wilkinson 1968), with what they do to whole rows left
    /// to BLAS. LAPACK's own routine would need the Fortran library at link time.
    public init?(_ matrix: [Double], n: Int) {
        precondition(n > 0 && matrix.count == n * n, "\(matrix.count) elements of [\(n), \(n)]")
        guard matrix.allSatisfy(\.isFinite) else { return nil }
        var reduction = Tridiagonal(matrix, n: n)
        guard reduction.diagonalize() else { return nil }
        let order = (0..<n).sorted { reduction.diagonal[$0] < reduction.diagonal[$1] }
        values = order.map { reduction.diagonal[$0] }
        vectors = order.flatMap { reduction.vectors[$0 * n..<($0 + 1) * n] }
    }
}

/// A symmetric matrix as Qᵀ · T · Q with T of three diagonals.
private struct Tridiagonal {
    let n: Int
    /// T's diagonal, [n].
    var diagonal: [Double]
    /// What stands beside it, [n]; the last is not used.
    private var beside: [Double]
    /// Q, [n, n].
    var vectors: [Double]

    init(_ matrix: [Double], n: Int) {
        self.n = n
        diagonal = Array(repeating: 0, count: n)
        beside = Array(repeating: 0, count: n)
        vectors = Array(repeating: 0, count: n * n)
        for i in 0..<n { vectors[i * n + i] = 1 }
        var a = matrix
        // One reflection I − β v vᵀ for each column.
        var reflectors = [Double](repeating: 0, count: n * n)
        var factors = [Double](repeating: 0, count: n)
        for column in 0..<max(n - 2, 0) {
            factors[column] = reduce(column, &a, &reflectors)
        }
        for i in 0..<n { diagonal[i] = a[i * n + i] }
        if n > 1 { beside[n - 2] = a[(n - 1) * n + n - 2] }
        for column in stride(from: n - 3, through: 0, by: -1) where factors[column] != 0 {
            reflect(column, reflectors, factors[column])
        }
    }

    /// Makes column `column` of `a` zero below the second diagonal.
    ///
    /// - Returns: β; 0 if it is zero already.
    private mutating func reduce(
        _ column: Int, _ a: inout [Double], _ reflectors: inout [Double]
    ) -> Double {
        let (n, first) = (n, column + 1)
        let count = n - first
        var v = (first..<n).map { a[$0 * n + column] }
        let length = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let rest = v.dropFirst().reduce(0) { max($0, abs($1)) }
        guard rest > 0 else {
            beside[column] = v[0]
            return 0
        }
        let alpha = v[0] > 0 ? -length : length
        beside[column] = alpha
        v[0] -= alpha
        let beta = 2 / v.reduce(0) { $0 + $1 * $1 }
        var p = [Double](repeating: 0, count: count)
        unsafe a.withUnsafeMutableBufferPointer { a in
            guard let base = a.baseAddress else { return }
            let corner = unsafe base + first * n + first
            unsafe cblas_dsymv(
                CblasRowMajor, CblasLower, blasint(count), beta, corner, blasint(n), v, 1, 0, &p, 1)
            let half = unsafe beta / 2 * cblas_ddot(blasint(count), p, 1, v, 1)
            unsafe cblas_daxpy(blasint(count), -half, v, 1, &p, 1)
            unsafe cblas_dsyr2(
                CblasRowMajor, CblasLower, blasint(count), -1, v, 1, p, 1, corner, blasint(n))
        }
        for (index, value) in v.enumerated() { reflectors[column * n + first + index] = value }
        return beta
    }

    /// Q's lower right corner becomes itself times the reflection.
    private mutating func reflect(_ column: Int, _ reflectors: [Double], _ beta: Double) {
        let (n, first) = (n, column + 1)
        let count = blasint(n - first)
        let v = Array(reflectors[column * n + first..<(column + 1) * n])
        var products = [Double](repeating: 0, count: n - first)
        unsafe vectors.withUnsafeMutableBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            let corner = unsafe base + first * n + first
            unsafe cblas_dgemv(
                CblasRowMajor, CblasNoTrans, count, count, 1, corner, blasint(n), v, 1, 0,
                &products, 1)
            unsafe cblas_dger(
                CblasRowMajor, count, count, -beta, products, 1, v, 1, corner, blasint(n))
        }
    }

    /// Makes T diagonal, and the rows of Q its eigenvectors; false if a value does not settle.
    mutating func diagonalize() -> Bool {
        for first in 0..<n {
            var rounds = 0
            while let last = end(of: first), last > first {
                rounds += 1
                if rounds > 60 { return false }
                sweep(first, last)
            }
        }
        return true
    }

    /// The last row of the block that begins with `first`, behind which T falls apart.
    private func end(of first: Int) -> Int? {
        (first..<n).first { row in
            row == n - 1
                || abs(beside[row]) <= .ulpOfOne * (abs(diagonal[row]) + abs(diagonal[row + 1]))
        }
    }

    /// One implicit QL step on rows `first` to `last`.
    private mutating func sweep(_ first: Int, _ last: Int) {
        var g = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first])
        let root = hypot(g, 1)
        g = diagonal[last] - diagonal[first] + beside[first] / (g + (g < 0 ? -root : root))
        var (s, c, p) = (1.0, 1.0, 0.0)
        for row in stride(from: last - 1, through: first, by: -1) {
            let f = s * beside[row]
            let b = c * beside[row]
            let length = hypot(f, g)
            beside[row + 1] = length
            if length == 0 {
                diagonal[row + 1] -= p
                beside[last] = 0
                return
            }
            s = f / length
            c = g / length
            g = diagonal[row + 1] - p
            let r = (diagonal[row] - g) * s + 2 * c * b
            p = s * r
            diagonal[row + 1] = g + p
            g = c * r - b
            rotate(row, c, s)
        }
        diagonal[first] -= p
        beside[first] = g
        beside[last] = 0
    }

    private mutating func rotate(_ row: Int, _ c: Double, _ s: Double) {
        let n = n
        unsafe vectors.withUnsafeMutableBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            unsafe cblas_drot(
                blasint(n), base + (row + 1) * n, 1, base + row * n, 1, c, s)
        }
    }
}
