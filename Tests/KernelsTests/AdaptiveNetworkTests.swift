import Foundation
import Kernels
import TestSupport
import Testing

/// The network's kernels against the formulas written out in double.
@Suite struct `Between the products of the adaptive denoiser` {
    let rows = 5

    private func levels() -> [Float] { numbers(rows, seed: 3, scale: 0.2).map { abs($0) } }
    private func variances(_ count: Int) -> [Float] {
        numbers(count, seed: 4, scale: 0.02).map { abs($0) + 2e-5 }
    }

    @Test(arguments: instructionSets)
    func `the hidden layer's input`(instructions: InstructionSet) {
        let (columns, stride) = (37, 48)
        let (y, mean) = (numbers(rows * columns, seed: 1), numbers(columns, seed: 2, scale: 0.1))
        let (s, w) = (levels(), variances(columns))
        var input = [Float](repeating: 7, count: rows * stride)
        var span = input.mutableSpan
        let features = LevelFeatures(count: 8, spacing: 0.04)
        instructions.limiting {
            networkInput(
                y.span, mean: mean.span, w: w.span, s: s.span, features: features, rows: rows,
                stride: stride, into: &span)
        }
        var twin: [Double] = []
        for row in 0..<rows {
            let level = Double(s[row])
            for j in 0..<columns {
                twin.append(
                    (Double(y[row * columns + j]) - Double(mean[j]))
                        / (Double(w[j]) + level * level).squareRoot())
            }
            for i in 0..<8 { twin.append(exp(-pow((level - Double(i) * 0.04) / 0.04, 2))) }
            twin += [1, 0, 0]
        }
        #expect(largestDifference(input.span, twin) < 1e-4)
    }

    @Test(arguments: instructionSets, [1, 8, 16, 37])
    func `gated units and their gradient`(instructions: InstructionSet, hidden: Int) {
        var h = numbers(rows * 2 * hidden, seed: 5, scale: 6)
        h[0] = 120
        h[hidden == 1 ? 2 : 1] = -120
        let gradient = numbers(rows * hidden, seed: 6)
        var (units, twin, dTwin): ([Float], [Double], [Double]) = ([], [], [])
        units = [Float](repeating: 0, count: rows * hidden)
        dTwin = [Double](repeating: 0, count: h.count)
        for row in 0..<rows {
            for i in 0..<hidden {
                let (p, q) = (
                    Double(h[row * 2 * hidden + i]), Double(h[row * 2 * hidden + hidden + i])
                )
                let share = 1 / (1 + exp(-p))
                twin.append(p * share * q)
                let d = Double(gradient[row * hidden + i])
                dTwin[row * 2 * hidden + i] = d * q * (share + p * share * (1 - share))
                dTwin[row * 2 * hidden + hidden + i] = d * p * share
            }
        }
        var output = units.mutableSpan
        instructions.limiting { gated(h.span, rows: rows, hidden: hidden, into: &output) }
        #expect(largestDifference(units.span, twin) < 2e-5)
        var span = h.mutableSpan
        instructions.limiting {
            gatedBackward(&span, gradient: gradient.span, rows: rows, hidden: hidden)
        }
        #expect(largestDifference(h.span, dTwin) < 1e-5)
    }

    @Test(arguments: instructionSets)
    func `the posterior mean, its loss and the loss's gradient`(instructions: InstructionSet) {
        let columns = 37
        let (y, r) = (numbers(rows * columns, seed: 1), numbers(rows * columns, seed: 2))
        let target = numbers(rows * columns, seed: 7)
        let zeros = [Float](repeating: 0, count: columns)
        let (s, w, weights) = (levels(), variances(columns), numbers(rows, seed: 8))
        var (twin, gradient, loss): ([Double], [Double], Double) = ([], [], 0)
        for row in 0..<rows {
            for j in 0..<columns {
                let i = row * columns + j
                let variance = Double(w[j])
                let gain = variance / (variance + Double(s[row]) * Double(s[row]))
                let scale = (variance * (1 - gain)).squareRoot()
                let value = Double(y[i]) * gain + Double(r[i]) * scale
                twin.append(value)
                let error = value - Double(target[i])
                loss += Double(weights[row]) * error * error
                gradient.append(2 * Double(weights[row]) * error * scale)
            }
        }
        var output = [Float](repeating: 0, count: y.count)
        var span = output.mutableSpan
        var residual = r
        var residualSpan = residual.mutableSpan
        let ours = instructions.limiting {
            posterior(
                y.span, mean: zeros.span, r: r.span, w: w.span, s: s.span, rows: rows, into: &span)
            return posteriorLoss(
                &residualSpan, y: y.span, target: target.span, w: w.span, s: s.span,
                weights: weights.span, rows: rows)
        }
        #expect(largestDifference(output.span, twin) < 1e-6)
        #expect(abs(ours - loss) < 1e-5)
        #expect(largestDifference(residual.span, gradient) < 1e-6)
    }

    @Test(arguments: instructionSets)
    func `ways and blends, of any size that floats have`(instructions: InstructionSet) {
        let columns = 37
        for scale in [Float(1e-30), 1, 1e36] {
            let x = numbers(rows * columns, seed: 1).map { $0 * scale }
            let f = numbers(rows * columns, seed: 2)
            let scales = (0..<rows).map { Double(scale) * (1 + Double($0)) / 4 }
            let amounts: [Double] = [0, 1, 0.5, 0.25, 0.7]
            var (ways, blended) = ([Double](repeating: 0, count: rows), f)
            var waySpan = ways.mutableSpan
            var blendSpan = blended.mutableSpan
            instructions.limiting {
                squaredWays(
                    f.span, from: x.span, scales: scales.span, rows: rows, columns: columns,
                    into: &waySpan)
                blend(
                    &blendSpan, with: x.span, amounts: amounts.span, scales: scales.span,
                    rows: rows, columns: columns)
            }
            for row in 0..<rows {
                var sum = 0.0
                for i in row * columns..<(row + 1) * columns {
                    let way = scales[row] * Double(f[i]) - Double(x[i])
                    sum += way * way
                    let expected = Double(x[i]) + amounts[row] * way
                    #expect(abs(Double(blended[i]) - expected) <= 1e-6 * Double(scale))
                }
                #expect(abs(ways[row] - sum) < 1e-9 * sum)
            }
            #expect(blended[..<columns] == x[..<columns])
            var (squares, scaled) = (ways, blended)
            var squareSpan = squares.mutableSpan
            var scaledSpan = scaled.mutableSpan
            let factors = scales.map { 1 / $0 }
            instructions.limiting {
                squaredLengths(x.span, rows: rows, columns: columns, into: &squareSpan)
                scaleRows(
                    x.span, by: factors.span, rows: rows, columns: columns, into: &scaledSpan)
            }
            for row in 0..<rows {
                let range = row * columns..<(row + 1) * columns
                let square = x[range].reduce(0) { $0 + Double($1) * Double($1) }
                #expect(abs(squares[row] - square) < 1e-9 * square)
                #expect(
                    zip(scaled[range], x[range]).allSatisfy {
                        abs(Double($0) - Double($1) * factors[row]) < 1e-5
                    })
            }
        }
    }

    @Test(arguments: instructionSets)
    func `levels by length, and weighted distances`(instructions: InstructionSet) {
        let columns = 37
        let x = numbers(rows * columns, seed: 1, scale: 2)
        let shift = numbers(columns, seed: 2, scale: 0.3)
        let (factors, precisions) = (numbers(3, seed: 9), numbers(3 * columns, seed: 10))
        var (levels, sums) = (
            [Float](repeating: 0, count: rows), [Float](repeating: 0, count: rows * 3)
        )
        var levelSpan = levels.mutableSpan
        var sumSpan = sums.mutableSpan
        instructions.limiting {
            levelsOfLengths(x.span, shift: shift.span, rows: rows, into: &levelSpan)
            weightedDistances(
                x.span, mean: shift.span, factors: factors.span, precisions: precisions.span,
                rows: rows, into: &sumSpan)
        }
        var (levelTwin, sumTwin): ([Double], [Double]) = ([], [])
        for row in 0..<rows {
            let values = (0..<columns).map { Double(x[row * columns + $0]) }
            let square = (0..<columns).reduce(0) { $0 + pow(values[$1] + Double(shift[$1]), 2) }
            levelTwin.append((max(square - 1, 0) / Double(columns)).squareRoot())
            for level in 0..<3 {
                sumTwin.append(
                    (0..<columns).reduce(0) {
                        let distance = Double(factors[level]) * values[$1] - Double(shift[$1])
                        return $0 + distance * distance * Double(precisions[level * columns + $1])
                    })
            }
        }
        #expect(levelTwin.contains { $0 > 0 })
        #expect(largestDifference(levels.span, levelTwin) < 1e-6)
        #expect(largestDifference(sums.span, sumTwin) < 1e-4)
    }
}

@Suite struct `Eigenvectors of a symmetric matrix` {
    /// aᵀ · a for random a [rank, n].
    private func matrix(_ n: Int, rank: Int) -> [Double] {
        let a = numbers(rank * n, seed: 20).map { Double($0) }
        return (0..<n).flatMap { i in
            (0..<n).map { j in (0..<rank).reduce(0) { $0 + a[$1 * n + i] * a[$1 * n + j] } }
        }
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 3), (40, 40), (40, 33), (65, 3), (7, 0)])
    func `are orthonormal, and the matrix times one is its value times it`(
        size: (n: Int, rank: Int)
    ) throws {
        let n = size.n
        let a = matrix(n, rank: size.rank)
        let eigen = try #require(SymmetricEigen(a, n: n))
        #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 <= $1 })
        let largest = max(eigen.values[n - 1], 1)
        for k in 0..<n {
            let v = eigen.vectors[k * n..<(k + 1) * n]
            for l in 0..<n {
                let w = eigen.vectors[l * n..<(l + 1) * n]
                let product = zip(v, w).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - (k == l ? 1 : 0)) < 1e-12)
            }
            for i in 0..<n {
                let product = (0..<n).reduce(0) { $0 + a[i * n + $1] * v[k * n + $1] }
                #expect(abs(product - eigen.values[k] * v[k * n + i]) < 1e-12 * largest)
            }
        }
        #expect(eigen.values.filter { $0 > 1e-9 }.count == min(size.rank, n))
    }

    @Test func `of a matrix that is not finite there are none`() {
        #expect(SymmetricEigen([1, .nan, .nan, 1], n: 2) == nil)
        #expect(SymmetricEigen([1, .infinity, .infinity, 1], n: 2) == nil)
    }
}
