import Denoisers
import Foundation
import ModelFiles
import System
import TestSupport
import Testing

@testable import Inference

@Suite struct `The denoising engine` {
    @Test func `embeds texts and denoises the embeddings by the live model`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let model = try #require(DenoiserModel.builtIn)
            let texts = ["the sea", "river stone", "cat " + String(repeating: "sea ", count: 80)]
            let batch = try service.engine.denoise(texts: texts, noiseLevel: 0, for: Caller())
            let embeddings = try service.embedder.embed(texts).values
            let options = DenoisingOptions(pilots: service.embedder.pilots)
            let expected = model.denoise(embeddings, noiseLevel: 0, options, team: nil).values
            #expect(largestDifference(batch.values, expected) <= 1e-6)
            #expect(batch.columns == 384 && batch.truncated == 1)
            #expect(batch.modelVersion == model.version)
            #expect(batch.stages.map(\.name) == ["tokenize", "wait", "encode", "denoise"])
            let rows = try service.engine.denoise(embeddings: embeddings, noiseLevel: 0)
            #expect(largestDifference(rows.values, expected) <= 1e-6)
            #expect(rows.modelVersion == model.version && rows.truncated == 0)
        }
    }

    @Test func `looks for noise only in elements that its encoder leaves 0`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let model = try #require(DenoiserModel.builtIn)
            #expect(service.embedder.pilots == [])
            let clean = Array(BuiltInRows.forJudgement().prefix(20 * 384))
            var rows = addingNoise(to: clean, noiseLevel: 0.1, seed: 3)
            // Zeros in the pilots of the built-in model's own encoder, whose rows would be clean.
            for row in 0..<20 { for i in [127, 223, 319] { rows[row * 384 + i] = 0 } }
            func denoised(_ pilots: [Int]?) -> [Float] {
                model.denoise(rows, noiseLevel: 0, DenoisingOptions(pilots: pilots), team: nil)
                    .values
            }
            let values = try service.engine.denoise(embeddings: rows, noiseLevel: 0).values
            #expect(denoised(nil) == rows)
            #expect(values != rows)
            #expect(values == denoised([]))
        }
    }

    @Test func `adds noise where it is asked for, another every time`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let row = [Float](repeating: 0.05, count: 384)
            func denoised(_ noise: Float) throws -> [Float] {
                try service.engine.denoise(embeddings: row, noiseLevel: noise).values
            }
            #expect(try denoised(0) == denoised(0))
            let (first, second) = (try denoised(0.1), try denoised(0.1))
            #expect(first != second)
            #expect(first != (try denoised(0)))
        }
    }

    @Test func `without a model answers that none is loaded`() throws {
        try withFolder { folder in
            let engine = try SmallService(in: folder, hasBuiltIn: false).engine
            #expect(!engine.isModelLoaded)
            #expect(throws: InferenceError.modelNotLoaded) {
                try engine.denoise(texts: ["the sea"], noiseLevel: 0, for: Caller())
            }
            #expect(throws: InferenceError.modelNotLoaded) {
                try engine.denoise(embeddings: [], noiseLevel: 0)
            }
        }
    }

    @Test func `what it trained answers the next request`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let row = [Float](repeating: 0.05, count: 384)
            let before = try service.engine.denoise(embeddings: row, noiseLevel: 0)
            let outcome = try service.engine.train(on: trainingText(30))
            #expect(outcome.loss > 0 && outcome.loss.isFinite)
            let after = try service.engine.denoise(embeddings: row, noiseLevel: 0)
            #expect(after.modelVersion == outcome.version)
            #expect(after.modelVersion != before.modelVersion && after.values != before.values)
            #expect(try DenoiserModel(reading: service.path).version == outcome.version)
            let told = service.lines.all.filter { $0.hasPrefix("trained model") }
            #expect(told.count == 1 && told[0].contains("on 30 lines (30 distinct)"), "\(told)")
            #expect(outcome.stages.map(\.name) == ["wait", "embed", "train", "judge", "publish"])
            let runs = service.runs.statistics
            #expect(runs.succeeded == 1 && runs.failed == 0 && runs.underway == 0)
        }
    }

    @Test func `a run beyond its time is ended, named by its limit, and changes nothing`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder) {
                $0.timeLimit = .zero
                $0.options.epochs = 1_000_000
            }
            #expect(throws: InferenceError.trainingTooLong(limit: 0)) {
                try service.engine.train(on: trainingText(30))
            }
            expectUnchanged(service)
        }
    }

    @Test func `a run that the service's end cuts off is no failure by time`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder) { $0.timeLimit = .zero }
            service.runs.cancel()
            #expect(throws: InferenceError.trainingCancelled) {
                try service.engine.train(on: trainingText(30))
            }
            expectUnchanged(service)
        }
    }

    private func expectUnchanged(
        _ service: SmallService, at location: SourceLocation = #_sourceLocation
    ) {
        let version = service.live.current()?.version
        #expect(version == DenoiserModel.builtIn?.version, sourceLocation: location)
        #expect(
            !FileManager.default.fileExists(atPath: service.path), sourceLocation: location)
        let runs = service.runs.statistics
        #expect(
            runs.failed == 1 && runs.succeeded == 0 && runs.underway == 0,
            sourceLocation: location)
    }

    @Test func `refuses one run more than may be at once`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder, mostRuns: 0)
            #expect(throws: InferenceError.trainingBusy(retryAfter: 5)) {
                try service.engine.train(on: trainingText(30))
            }
        }
    }
}
