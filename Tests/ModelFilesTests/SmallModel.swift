import Foundation
import System
import TestSupport

@testable import ModelFiles

/// A model of a few numbers, different for each `seed`.
func smallModel(_ seed: Int, floats: Int = 64) -> Checkpoint {
    var random = SplitMix(state: UInt64(seed))
    return Checkpoint(
        tensors: [
            ("encoder.0.weight", tensor([floats], (0..<floats).map { _ in random.float() })),
            ("encoder.0.bias", tensor([2], [Float(seed), random.float()])),
        ],
        embeddingDimension: 2, settings: #"{"seed":\#(seed)}"#, corpusDigest: SHA256.hex(of: []),
        report: #"{"loss":0.25}"#)
}

extension ModelHistory {
    /// Publishes on top of whatever is live.
    @discardableResult func publishNext(_ checkpoint: Checkpoint) throws -> Checkpoint {
        let lock = try lock(waiting: .seconds(60))
        return try publish(checkpoint, replacing: live()?.version, under: lock)
    }
}

/// All names below a folder, sorted.
func names(in folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
}

/// The bytes of the file at `path`; none where there is no file.
func contents(_ path: String) -> [UInt8] {
    FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
}
