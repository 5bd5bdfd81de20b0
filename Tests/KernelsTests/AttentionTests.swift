import Foundation
import Kernels
import Tensors
import Testing
import TestSupport

@Suite struct `Attention` {
    @Test(arguments: instructionSets, [1, 2, 7, 8, 16, 17, 31, 64, 100, 256, 512])
    func `agrees with the softmax written out in double`(
        instructions: InstructionSet, length: Int
    ) {
        let heads = 3
        let columns = heads * 32
        let (stride, keyStride) = (columns + 16, length + 9)
        let query = numbers(length * stride, seed: 1, scale: 4)
        // Whatever lies past a sequence's keys must not matter, not even if it is not a number.
        var keys = numbers(columns * keyStride + attentionKeySlack, seed: 2, scale: 4)
        for i in keys.indices where i % keyStride >= length { keys[i] = .nan }
        let values = numbers(length * stride, seed: 3, scale: 4)
        let queryBias = numbers(columns, seed: 4)
        let valueBias = numbers(columns, seed: 5)
        var result = query
        var scratch = [Float](repeating: .nan, count: attentionScratch(length: length))
        var span = result.mutableSpan
        var scratchSpan = scratch.mutableSpan
        instructions.limiting {
            attention(
                MutableMatrixView(&span, rows: length, columns: columns, stride: stride),
                keys: MatrixView(keys.span, rows: columns, columns: length, stride: keyStride),
                values: MatrixView(values.span, rows: length, columns: columns, stride: stride),
                queryBias: queryBias.span, valueBias: valueBias.span, scratch: &scratchSpan)
        }
        let twin = plainAttention(
            query, keys: keys, values: values, queryBias: queryBias, valueBias: valueBias,
            heads: heads, length: length, stride: stride, keyStride: keyStride)
        let difference = largestDifference(result.span, twin)
        print("attention over \(length), \(instructions): within \(difference)")
        #expect(difference < 5e-6)
    }

    private func plainAttention(
        _ query: [Float], keys: [Float], values: [Float], queryBias: [Float], valueBias: [Float],
        heads: Int, length: Int, stride: Int, keyStride: Int
    ) -> [Double] {
        var context = query.map(Double.init)
        for column in Swift.stride(from: 0, to: heads * 32, by: 32) {
            for i in 0..<length {
                var weights: [Double] = []
                for j in 0..<length {
                    var score = 0.0
                    for d in column..<column + 32 {
                        let q = Double(query[i * stride + d]) + Double(queryBias[d])
                        score += q * Double(keys[d * keyStride + j])
                    }
                    weights.append(score / 32.0.squareRoot())
                }
                let top = weights.max() ?? 0
                weights = weights.map { exp($0 - top) }
                let total = weights.reduce(0, +)
                for d in column..<column + 32 {
                    var sum = 0.0
                    for j in 0..<length { sum += weights[j] * Double(values[j * stride + d]) }
                    context[i * stride + d] = sum / total + Double(valueBias[d])
                }
            }
        }
        return context
    }

    @Test func `scores far apart give the nearest value and no infinity`() {
        let length = 4
        let query = [Float](repeating: 100, count: length * 32)
        var keys = [Float](repeating: -100, count: 32 * length + attentionKeySlack)
        for d in 0..<32 { keys[d * length + 2] = 100 }
        let values = (0..<length * 32).map { Float($0 / 32) }
        let zeros = [Float](repeating: 0, count: 32)
        var result = query
        var scratch = [Float](repeating: 0, count: attentionScratch(length: length))
        var span = result.mutableSpan
        var scratchSpan = scratch.mutableSpan
        attention(
            MutableMatrixView(&span, rows: length, columns: 32),
            keys: MatrixView(keys.span, rows: 32, columns: length),
            values: MatrixView(values.span, rows: length, columns: 32),
            queryBias: zeros.span, valueBias: zeros.span, scratch: &scratchSpan)
        #expect(result.allSatisfy { $0 == 2 })
    }
}
