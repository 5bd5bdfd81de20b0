import Denoisers
import Foundation
import ModelFiles
import TestSupport

@testable import Inference

/// The service below the routes, on a small encoder, in a folder of its own.
struct SmallService {
    let folder: String
    let embedder: TextEmbedder
    let live: LiveModel
    let engine: DenoisingEngine
    let runs: TrainingRuns
    /// What was reported.
    let lines = Lines()

    /// The model's file.
    var path: String { folder + "/model.pt" }

    /// Sets it up in `folder`; without a file the built-in model is served, if `hasBuiltIn`.
    init(
        in folder: String, hasBuiltIn: Bool = true, mostRuns: Int = .max,
        training change: (inout TrainingRun) -> Void = { _ in }
    ) throws {
        self.folder = folder
        try SmallEncoder.write(to: folder + "/encoder")
        embedder = try loadEmbedder(folder: folder + "/encoder", threads: 2)
        live = try LiveModel(
            path: folder + "/model.pt", fallback: hasBuiltIn ? .builtIn : nil, report: lines.add)
        var training = TrainingRun()
        training.kind = .autoencoder
        training.activation = .always
        training.judgementRows = { [] }
        training.options.epochs = 2
        training.patience = .zero
        change(&training)
        runs = TrainingRuns(most: mostRuns)
        engine = DenoisingEngine(
            embedder: embedder, model: live, training: training, runs: runs, report: lines.add)
    }
}

/// `count` different lines to train on, of words that the small encoder knows.
func trainingText(_ count: Int) -> [UInt8] {
    let words = ["the", "sea", "river", "stone", "winter", "garden", "cat"]
    var random = SplitMix(state: 5)
    let lines = (0..<count).map { number in
        let picked = (0..<5).map { _ in words[Int(random.next() % UInt64(words.count))] }
        return picked.joined(separator: " ") + " \(number)\n"
    }
    return Array(lines.joined().utf8)
}
