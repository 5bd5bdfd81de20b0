import Encoder
import Foundation
import Testing
import System

@Suite struct `Sentence embeddings` {
    /// Cosine and largest absolute difference of one row against the reference.
    private func compare(_ row: ArraySlice<Float>, _ expected: ArraySlice<Float>) -> (
        cosine: Double, difference: Float
    ) {
        var (dot, a, b, difference) = (0.0, 0.0, 0.0, Float(0))
        for (x, y) in zip(row, expected) {
            dot += Double(x) * Double(y)
            a += Double(x) * Double(x)
            b += Double(y) * Double(y)
            // Not max(): a NaN must not be lost.
            if !(abs(x - y) <= difference) { difference = abs(x - y) }
        }
        return (dot / (a * b).squareRoot(), difference)
    }

    @Test(arguments: RealEncoder.Weights.allCases)
    func `each of 245 texts, in batches, agrees with sentence-transformers`(
        weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let reference = try ReferenceTexts()
        #expect(reference.ids.count == 245)
        var (lowest, largest) = (1.0, Float(0))
        for start in stride(from: 0, to: reference.ids.count, by: 40) {
            let range = start..<min(start + 40, reference.ids.count)
            let result = encoder.embed(reference.ids[range])
            for text in range {
                let (cosine, difference) = compare(
                    result[(text - start) * 384..<(text - start + 1) * 384],
                    reference.embeddings[text * 384..<(text + 1) * 384])
                #expect(cosine >= 0.999999 && difference <= 2e-6, "text \(text)")
                lowest = min(lowest, cosine)
                largest = max(largest, difference)
            }
        }
        print("245 texts, \(weights): cosine ≥ \(lowest), within \(largest)")
    }

    @Test(arguments: RealEncoder.Weights.allCases)
    func `a text in a batch gets what it gets alone`(
        weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let reference = try ReferenceTexts()
        let together = encoder.embed(reference.ids)
        var largest = Float(0)
        for (text, ids) in reference.ids.enumerated() {
            let (_, difference) = compare(
                together[text * 384..<(text + 1) * 384], encoder.embed([ids])[...])
            #expect(difference <= (weights == .packed ? 0 : 1e-6), "text \(text)")
            largest = max(largest, difference)
        }
        print("batch of 245 against each alone, \(weights): within \(largest)")
    }

    @Test(arguments: RealEncoder.Weights.allCases)
    func `a text among few gets the same bits as alone`(
        weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let short = try ReferenceTexts().ids.filter { $0.count <= 10 }.prefix(4)
        let together = encoder.embed(short)
        for (text, ids) in short.enumerated() {
            #expect(Array(together[text * 384..<(text + 1) * 384]) == encoder.embed([ids]))
        }
    }

    @Test(arguments: RealEncoder.Weights.allCases)
    func `a pair of threads gives what one thread gives`(
        weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let reference = try ReferenceTexts()
        let workers = try #require(WorkerPair())
        var largest = Float(0)
        for ids in reference.ids {
            let (_, difference) = compare(
                encoder.embed([ids], workers: workers)[...], encoder.embed([ids])[...])
            #expect(difference <= 1e-6)
            largest = max(largest, difference)
        }
        let all = encoder.embed(reference.ids)
        let (_, difference) = compare(encoder.embed(reference.ids, workers: workers)[...], all[...])
        #expect(difference <= 1e-6)
        print("two threads against one, \(weights): within \(max(largest, difference))")
    }

    @Test(arguments: RealEncoder.Weights.allCases)
    func `a workspace gives the same after another batch`(
        weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let ids = try ReferenceTexts().ids
        var workspace = encoder.makeWorkspace(tokens: 512)
        var results: [[Float]] = []
        for index in [0, 100, 0] {
            var batch = PackedBatch()
            batch.append(ids[index])
            var result = [Float](repeating: 0, count: 384)
            var span = result.mutableSpan
            encoder.encode(batch, workspace: &workspace, into: &span)
            results.append(result)
        }
        #expect(results[0] == results[2] && results[0] != results[1])
    }
}
