import Denoisers
import Tensors
import System
import Testing

@testable import Inference

/// A denoiser that answers what a test says.
private struct Fake: Denoiser {
    var answer: @Sendable (_ rows: [Float]) -> [Float]

    var kind: DenoiserKind { .autoencoder }
    var width: Int { embeddingWidth }
    var tensors: [(name: String, tensor: Tensor)] { [] }

    func denoise(
        _ rows: [Float], _ options: DenoisingOptions, team: WorkerPair?
    ) -> DenoisedRows {
        DenoisedRows(
            values: answer(rows), summary: DenoisingSummary(rows: rows.count / 384, movedRows: 0))
    }

    static func memory(rows: Int) -> Int { 0 }
}

@Suite struct `Judgement of new models` {
    private func objection(to denoiser: any Denoiser) -> String? {
        ModelJudgement(of: denoiser, onHeldOut: [], seed: 1, isCancelled: { false }).objection
    }

    @Test func `doing nothing and the built-in model are not worse than doing nothing`() throws {
        #expect(objection(to: Fake { $0 }) == nil)
        #expect(objection(to: try #require(DenoiserModel.builtIn).denoiser) == nil)
    }

    @Test func `one that answers the same to everyone is worse`() {
        let reason = objection(to: Fake { rows in rows.indices.map { $0 % 384 == 0 ? 1 : 0 } })
        #expect(
            reason?.hasPrefix("worse than doing nothing: on 820 built-in rows at noise 0.0") == true
        )
        #expect(reason?.utf8.allSatisfy { 0x20...0x7E ~= $0 } == true)
    }

    @Test func `one that harms clean rows alone is worse`() {
        // Every tenth row is turned round.
        let turned = Fake { rows in
            rows.enumerated().map { $0.offset / 384 % 10 == 0 ? -$0.element : $0.element }
        }
        #expect(objection(to: turned) != nil)
    }

    @Test func `sets that are too small judge nothing`() {
        let judgement = ModelJudgement(
            of: Fake { $0 }, onHeldOut: [Float](repeating: 0.1, count: 3 * 384), seed: 1,
            isCancelled: { false })
        #expect(judgement.parts.map(\.name) == ["built-in rows"])
        #expect(judgement.parts.map(\.rows) == [820])
    }

    @Test func `the built-in rows have length 1 and zeros in the pilots`() {
        for (rows, count) in [(BuiltInRows.forJudgement(), 820), (BuiltInRows.forReplay(), 1000)] {
            #expect(rows.count == count * 384)
            for row in stride(from: 0, to: rows.count, by: 384) {
                let square = rows[row..<row + 384].reduce(0) { $0 + $1 * $1 }
                #expect(abs(square - 1) < 1e-5)
                #expect([127, 223, 319].allSatisfy { rows[row + $0] == 0 })
            }
        }
    }
}
