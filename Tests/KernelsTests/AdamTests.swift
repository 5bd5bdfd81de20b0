import Kernels
import Tensors
import Testing
import TestSupport

/// Parameters and moments of one run.
private struct State {
    var x, m, v: [Float]

    static func random(_ count: Int) -> State {
        State(
            x: numbers(count, seed: 11), m: numbers(count, seed: 12, scale: 0.1),
            v: numbers(count, seed: 13, scale: 0.1).map { $0 * $0 })
    }

    mutating func withSpans(
        _ body: (inout MutableSpan<Float>, inout MutableSpan<Float>, inout MutableSpan<Float>)
            -> Void
    ) {
        var (x, m, v) = (x, m, v)
        var parameters = x.mutableSpan
        var first = m.mutableSpan
        var second = v.mutableSpan
        body(&parameters, &first, &second)
        self = State(x: x, m: m, v: v)
    }

    /// Algorithm 1 of arXiv 1412.6980 in double, PyTorch's place for ε.
    func moved(step: Int, gradient: [Double]) -> (x: [Double], m: [Double], v: [Double]) {
        var (x, m, v) = (x.map { Double($0) }, m.map { Double($0) }, v.map { Double($0) })
        var (power1, power2) = (1.0, 1.0)
        for _ in 0..<step { (power1, power2) = (power1 * 0.9, power2 * 0.999) }
        for i in x.indices {
            m[i] = 0.9 * m[i] + 0.1 * gradient[i]
            v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i]
            let corrected = (v[i] / (1 - power2)).squareRoot()
            x[i] -= 1e-3 / (1 - power1) * m[i] / (corrected + 1e-8)
        }
        return (x, m, v)
    }

    func largestDifference(_ twin: (x: [Double], m: [Double], v: [Double])) -> Double {
        max(
            TestSupport.largestDifference(x.span, twin.x),
            TestSupport.largestDifference(m.span, twin.m),
            TestSupport.largestDifference(v.span, twin.v))
    }
}

@Suite struct `A step of Adam` {
    @Test(arguments: instructionSets, [1, 5, 16, 64, 100])
    func `agrees with the algorithm written out`(instructions: InstructionSet, count: Int) {
        let gradient = numbers(count, seed: 14)
        for step in [1, 2, 1000] {
            var state = State.random(count)
            let twin = state.moved(step: step, gradient: gradient.map { Double($0) })
            instructions.limiting {
                state.withSpans {
                    Adam().step(step).move(&$0, &$1, &$2, gradient: gradient.span)
                }
            }
            let difference = state.largestDifference(twin)
            #expect(difference < 1e-6, "within \(difference)")
        }
    }

    @Test(arguments: instructionSets, [(1, 64, 1), (3, 64, 32), (7, 128, 5), (13, 384, 33)])
    func `on a product agrees with the product written out`(
        instructions: InstructionSet, size: (rows: Int, columns: Int, depth: Int)
    ) {
        let (rows, columns, depth) = size
        let strideA = rows + 3
        let a = numbers(depth * strideA, seed: 15)
        let b = numbers(depth * columns, seed: 16)
        var gradient = [Double](repeating: 0, count: rows * columns)
        for d in 0..<depth {
            for i in 0..<rows {
                for j in 0..<columns {
                    gradient[i * columns + j] +=
                        Double(a[d * strideA + i]) * Double(b[d * columns + j])
                }
            }
        }
        var state = State.random(rows * columns)
        let twin = state.moved(step: 3, gradient: gradient)
        instructions.limiting {
            state.withSpans {
                Adam().step(3).move(
                    &$0, &$1, &$2,
                    gradientOf: MatrixView(a.span, rows: depth, columns: rows, stride: strideA),
                    MatrixView(b.span, rows: depth, columns: columns))
            }
        }
        let difference = state.largestDifference(twin)
        #expect(difference < 2e-6, "within \(difference)")
    }
}
