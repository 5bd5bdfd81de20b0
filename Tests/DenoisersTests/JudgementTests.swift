import Kernels
import Tensors
import Testing

@testable import Denoisers

@Suite struct `Judging treatments` {
    let clean = (0..<40).flatMap { row in
        let values = addingNoise(
            to: [Float](repeating: 0, count: 64), noiseLevel: 1, seed: UInt64(row))
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { $0 / length }
    }

    @Test func `the nearest rows are those of the highest products`() {
        let found = nearest(clean, among: clean, width: 64, count: 10, withoutSelf: true)
        for row in 0..<40 {
            let scores = (0..<40).map { other in
                (0..<64).reduce(0.0) {
                    $0 + Double(clean[row * 64 + $1]) * Double(clean[other * 64 + $1])
                }
            }
            let expected = (0..<40).filter { $0 != row }.sorted { scores[$0] > scores[$1] }
            #expect(found[row * 10..<(row + 1) * 10].map { Int($0) } == Array(expected[..<10]))
        }
        let equal = [Float](repeating: 1, count: 5 * 64)
        let first = nearest(equal, among: equal, width: 64, count: 2, withoutSelf: true)
        #expect(first == [1, 2, 0, 2, 0, 1, 0, 1, 0, 1])
    }

    @Test func `clean rows keep everything, and doing nothing gains nothing`() {
        let judge = Judge(clean: clean, width: 64)
        let table = judge.judge([Treatment("nothing") { $0 }])
        #expect(table.map(\.noise) == Judge.levels)
        #expect(table[0].nothing.all.allSatisfy { abs($0 - 1) < 1e-6 })
        for level in table {
            #expect(level.judged[0].gains == [0, 0, 0, 0] && !level.judged[0].isWorse)
            #expect(level.judged[0].measures == level.nothing)
        }
        #expect(table[4].nothing.cosine < table[1].nothing.cosine)
        #expect(table[4].nothing.neighbours < 0.8)
    }

    @Test func `the clean rows themselves are the best, and rows mixed up are worse`() {
        let judge = Judge(clean: clean, width: 64)
        let oracle = Treatment("oracle") { _ in clean }
        let turned = Treatment("turned") { Array($0[64...] + $0[..<64]) }
        for level in judge.judge([oracle, turned]) {
            #expect(level.judged[0].measures.all.allSatisfy { abs($0 - 1) < 1e-6 })
            #expect(level.judged[1].isWorse && level.judged[1].measures.recall < 0.2)
        }
    }

    @Test func `errors are those of paired differences`() {
        #expect(standardError([1, 2, 3, 4]) == (5.0 / 3 / 4).squareRoot())
        #expect(standardError([1]) == .infinity)
        let within = Judged(
            name: "", measures: Measures(cosine: 0, neighbours: 0, queries: 0, recall: 0),
            gains: [0, -0.01, -0.003, -1], errors: [0, 0.006, 0, 0])
        #expect(!within.isWorse)
        let beyond = Judged(
            name: "", measures: within.measures, gains: [0, -0.013, 0, 0],
            errors: [0, 0.006, 0, 0])
        #expect(beyond.isWorse)
    }
}
