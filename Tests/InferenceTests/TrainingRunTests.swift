import Denoisers
import Foundation
import ModelFiles
import System
import Tensors
import TestSupport
import Testing

@testable import Inference

@Suite struct `A training run` {
    /// The tensors of the model at `path`, end to end.
    private func numbers(_ path: String) throws -> [Float] {
        var values: [Float] = []
        for (_, tensor) in try Checkpoint(reading: path).tensors {
            for i in 0..<tensor.count { values.append(tensor.span[i]) }
        }
        return values
    }

    private func run(
        _ service: SmallService, _ name: String = "model.pt", on text: [UInt8] = trainingText(30),
        with change: (inout TrainingRun) -> Void = { _ in },
        progress: (TrainingRun.Progress) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        var run = TrainingRun()
        run.kind = .autoencoder
        run.activation = .always
        // Judging takes seconds without optimisation.
        run.judgementRows = { [] }
        run.options.epochs = 2
        run.patience = .zero
        run.seed = 7
        change(&run)
        return try run(
            on: text, publishingAt: "\(service.folder)/\(name)", with: service.embedder,
            progress: progress)
    }

    @Test func `follows from its seed alone`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            for (name, seed) in [("a.pt", 1), ("b.pt", 1), ("c.pt", 2)] as [(String, UInt64)] {
                _ = try run(service, name) { $0.seed = seed }
            }
            let first = try numbers(folder + "/a.pt")
            #expect(try numbers(folder + "/b.pt") == first)
            #expect(try numbers(folder + "/c.pt") != first)
        }
    }

    @Test func `publishes where it came from, what it read and what it followed`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let first = try run(service)
            let second = try run(service, on: trainingText(20)) { $0.origin = .upload }
            let records = ModelHistory(path: service.path).records()
            #expect(records.map(\.version.description) == [second.version, first.version])
            #expect(records[0].isLive && records[0].parent == records[1].version)
            #expect(records.map(\.origin) == [.upload, .command])
            #expect(records[0].corpusDigest == SHA256.hex(of: trainingText(20)))
            #expect(records[0].settings?.contains(#""seed":7"#) == true)
        }
    }

    @Test func `counts lines, and each distinct one once`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let long = String(repeating: "sea ", count: 80)
            let text = "the sea\n\ncat\nthe sea\n\(long)\ncat\n\(long)\n"
            let result = try run(service, on: Array(text.utf8))
            #expect(result.lines == 6 && result.distinct == 3)
            // Blank lines count for the place.
            #expect(result.truncated.count == 2 && result.truncated.first == 4)
        }
    }

    @Test func `continues from the live model's parameters where that is asked for`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            _ = try run(service)
            let before = try numbers(service.path)
            func steps(_ start: TrainingRun.Start) throws -> [Float] {
                _ = try run(service) {
                    $0.start = start
                    $0.options.learningRate = 1e-30
                    $0.seed = 99
                }
                return try numbers(service.path)
            }
            #expect(largestDifference(try steps(.continue), before) <= 1e-9)
            #expect(largestDifference(try steps(.fresh), before) > 1e-3)
        }
    }

    @Test func `to continue from a file that holds no denoiser is refused, and the file stays`()
        throws
    {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let other = Checkpoint(tensors: [("a", Tensor(shape: [1], copying: [Float(1)].span))])
            let bytes = Data(other.encoded(as: .pt))
            try bytes.write(to: URL(filePath: service.path))
            #expect(throws: InferenceError.self) { try run(service) { $0.start = .continue } }
            #expect(try Data(contentsOf: URL(filePath: service.path)) == bytes)
            _ = try run(service)
        }
    }

    @Test func `from scratch with too few lines is a failure in one line, and publishes nothing`()
        throws
    {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let error = #expect(throws: InferenceError.self) {
                try run(service) { ($0.kind, $0.start) = (.adaptive, .scratch) }
            }
            guard case .trainingFailed(let reason) = try #require(error) else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.contains("30") && !reason.contains("\n"), "\(reason)")
            #expect(!FileManager.default.fileExists(atPath: service.path))
        }
    }

    @Test func `a text without lines, or with too many, is refused before anything is done`()
        throws
    {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            #expect(throws: InferenceError.noTrainingText) {
                try run(service, on: Array(" \n\n\t\n".utf8))
            }
            #expect(throws: InferenceError.tooManyLines(given: 30, limit: 29)) {
                try run(service) { $0.lineLimit = 29 }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["encoder"])
        }
    }

    @Test func `waits for another's lock no longer than it may`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let lock = try ModelHistory(path: service.path).lock()
            let began = ContinuousClock.now
            #expect(throws: InferenceError.trainingBusy(retryAfter: 5)) {
                try run(service) { $0.patience = .milliseconds(300) }
            }
            #expect(began.duration(to: .now) >= .milliseconds(300))
            #expect(!FileManager.default.fileExists(atPath: service.path))
            _ = consume lock
            _ = try run(service)
        }
    }

    @Test func `tells how far it is: distinct lines embedded, then epochs`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            var steps: [String] = []
            _ = try run(
                service,
                progress: { progress in
                    switch progress {
                    case .embedding(let done, let all): steps.append("embedded \(done) of \(all)")
                    case .training(let epoch, let all, _): steps.append("epoch \(epoch) of \(all)")
                    case .adapting: steps.append("adapting")
                    }
                })
            #expect(steps == ["embedded 30 of 30", "epoch 1 of 2", "epoch 2 of 2"])
        }
    }

    @Test func `a loss that is no number publishes nothing`() throws {
        try withFolder { folder in
            let service = try SmallService(in: folder)
            let error = #expect(throws: InferenceError.self) {
                try run(service) {
                    $0.options.learningRate = 1e6
                    $0.options.epochs = 200
                    $0.options.noiseLevel = 1e30
                }
            }
            guard case .trainingFailed = try #require(error) else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(!FileManager.default.fileExists(atPath: service.path))
        }
    }
}
