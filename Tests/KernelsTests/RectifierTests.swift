import Kernels
import Tensors
import Testing
import TestSupport

@Suite struct `Bias, rectifier and squared error` {
    private let rows = 5
    private let columns = 37
    private let stride = 41
    private var count: Int { rows * stride }

    /// Whether an element is one of the [rows, columns] part.
    private func isInside(_ i: Int) -> Bool { i % stride < columns }

    /// The [rows, columns] part of `values`.
    @_lifetime(copy values)
    private func view(_ values: Span<Float>) -> MatrixView {
        MatrixView(values, rows: rows, columns: columns, stride: stride)
    }

    @Test(arguments: instructionSets, [true, false])
    func `adds a bias, clears what is below 0, and touches nothing else`(
        instructions: InstructionSet, rectify: Bool
    ) {
        let before = numbers(count, seed: 1)
        let bias = numbers(columns, seed: 2)
        var x = before
        var span = x.mutableSpan
        instructions.limiting {
            addBias(
                MutableMatrixView(&span, rows: rows, columns: columns, stride: stride),
                bias: bias.span, rectify: rectify)
        }
        for i in 0..<count {
            let sum = isInside(i) ? before[i] + bias[i % stride] : before[i]
            #expect(x[i] == (isInside(i) && rectify ? max(sum, 0) : sum))
        }
    }

    @Test(arguments: instructionSets, [true, false])
    func `adds a bias to rows`(instructions: InstructionSet, rectify: Bool) {
        let before = numbers(rows * columns + 3, seed: 1)
        let bias = numbers(rows, seed: 2)
        var x = before
        var span = x.mutableSpan
        instructions.limiting {
            addRowBias(
                MutableMatrixView(&span, rows: rows, columns: columns), bias: bias.span,
                rectify: rectify)
        }
        for i in 0..<before.count {
            let sum = i < rows * columns ? before[i] + bias[i / columns] : before[i]
            #expect(x[i] == (i < rows * columns && rectify ? max(sum, 0) : sum))
        }
    }

    @Test(arguments: instructionSets, [true, false])
    func `adds a bias to rows that come in two parts`(instructions: InstructionSet, rectify: Bool) {
        let (a, b) = (numbers(rows * columns, seed: 1), numbers(rows * columns, seed: 2))
        let bias = numbers(rows, seed: 3)
        var y = [Float](repeating: 7, count: rows * columns + 3)
        var span = y.mutableSpan
        instructions.limiting {
            addRowBias(
                MatrixView(a.span, rows: rows, columns: columns),
                MatrixView(b.span, rows: rows, columns: columns), bias: bias.span,
                rectify: rectify, into: MutableMatrixView(&span, rows: rows, columns: columns))
        }
        for i in a.indices {
            let sum = a[i] + b[i] + bias[i / columns]
            #expect(y[i] == (rectify ? max(sum, 0) : sum))
        }
        #expect(y[a.count...].allSatisfy { $0 == 7 })
    }

    @Test func `keeps a NaN`() {
        var x: [Float] = [.nan, -1]
        var span = x.mutableSpan
        let zeros = [Float](repeating: 0, count: 2)
        addBias(MutableMatrixView(&span, rows: 1, columns: 2), bias: zeros.span, rectify: true)
        #expect(x[0].isNaN && x[1] == 0)
        var rows: [Float] = [.nan, -1]
        var rowSpan = rows.mutableSpan
        addRowBias(
            MutableMatrixView(&rowSpan, rows: 2, columns: 1), bias: zeros.span, rectify: true)
        #expect(rows[0].isNaN && rows[1] == 0)
    }

    @Test(arguments: instructionSets)
    func `lets a gradient through if the result is above 0`(instructions: InstructionSet) {
        let (a, b) = (numbers(count, seed: 3), numbers(count, seed: 4))
        var y = numbers(count, seed: 5)
        y[2] = 0
        var dX = [Float](repeating: 7, count: count)
        var span = dX.mutableSpan
        instructions.limiting {
            rectifierBackward(
                view(a.span), view(b.span), y: view(y.span),
                into: MutableMatrixView(&span, rows: rows, columns: columns, stride: stride))
        }
        for i in 0..<count {
            #expect(dX[i] == (!isInside(i) ? 7 : y[i] > 0 ? a[i] + b[i] : 0))
        }
    }

    @Test(arguments: instructionSets)
    func `a bias's gradient is the column sums`(instructions: InstructionSet) {
        let dX = numbers(count, seed: 6)
        var dBias = [Float](repeating: 7, count: columns)
        var span = dBias.mutableSpan
        instructions.limiting {
            addBiasBackward(view(dX.span), dBias: &span)
        }
        let twin = (0..<columns).map { column in
            (0..<rows).reduce(0.0) { $0 + Double(dX[$1 * stride + column]) }
        }
        #expect(largestDifference(dBias.span, twin) < 1e-6)
    }

    @Test(arguments: instructionSets)
    func `squares the error and gives its gradient`(instructions: InstructionSet) {
        let (y, target) = (numbers(count, seed: 7), numbers(count, seed: 8))
        var dY = [Float](repeating: 7, count: count)
        var span = dY.mutableSpan
        let sum = instructions.limiting {
            squaredError(
                view(y.span), target: view(target.span), scale: 0.5,
                dY: MutableMatrixView(&span, rows: rows, columns: columns, stride: stride))
        }
        var twin = 0.0
        for i in 0..<count where isInside(i) {
            let difference = Double(y[i]) - Double(target[i])
            twin += difference * difference
            #expect(abs(Double(dY[i]) - difference / 2) < 1e-7)
        }
        #expect(abs(sum - twin) < 1e-5)
        #expect((0..<count).allSatisfy { isInside($0) || dY[$0] == 7 })
    }

    @Test(arguments: [1, 1023, 1024, 5000]) func `means over any number`(count: Int) {
        let (y, target) = (numbers(count, seed: 9), numbers(count, seed: 10))
        let twin = zip(y, target).reduce(0.0) {
            let difference = Double($1.0) - Double($1.1)
            return $0 + difference * difference
        }
        #expect(abs(meanSquaredError(y.span, target: target.span) - twin / Double(count)) < 1e-6)
    }
}
