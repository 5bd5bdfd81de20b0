import Foundation
import System
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `The retention of versions` {
    @Test func `a loop of small uploads pushes out nothing that took work`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let byCommand = try history.publishNext(model(1, .command))
            let judged = try history.publishNext(model(2, .upload, lines: 1000, cosine: 0.7))
            let large = try history.publishNext(model(3, .upload, lines: 6000, cosine: 0.5))
            for turn in 6..<8 { try history.publishNext(model(turn, .upload, lines: 5000)) }
            let pinned = try history.publishNext(model(4, .upload))
            let restored = try history.publishNext(model(5, .upload))
            let lock = try history.lock()
            try history.pin(pinned.version, true, under: lock)
            _ = try history.restore(pinned.version, under: lock)
            _ = try history.restore(restored.version, under: lock)
            _ = consume lock
            // They say that they are almost perfect: few lines, nearly the same.
            for turn in 10..<50 {
                try history.publishNext(model(turn, .upload, lines: 20, cosine: 0.99))
            }
            let left = history.records().map(\.version)
            for version in [byCommand, judged, large, pinned, restored].map(\.version) {
                #expect(left.contains(version), "\(version) of \(left)")
            }
            // The live one, ten, the two of many lines, and those above.
            #expect(left.count <= 1 + 10 + 2 + 5, "\(left)")
        }
    }

    @Test func `what the command made of few lines is judged too`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt", keeping: 1)
            let judged = try history.publishNext(model(1, .command, lines: 40, cosine: 0.8))
            for turn in 10..<10 + 2 * Retention.made {
                try history.publishNext(model(turn, .command, lines: 50, cosine: 0.4))
            }
            for turn in 40..<45 {
                try history.publishNext(model(turn, .upload, lines: 20, cosine: 0.99))
            }
            #expect(history.records().contains { $0.version == judged.version })
        }
    }

    @Test func `versions of all kinds together have a bound`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt", keeping: 2)
            for turn in 0..<30 {
                try history.publishNext(
                    model(turn, .command, lines: turn, cosine: Double(30 - turn) / 40))
            }
            #expect(history.records().count <= 1 + 2 + Retention.made + 2 * Retention.best)
        }
    }

    @Test func `a number that nobody can have counted to holds no place`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            for turn in 0..<5 { try history.publishNext(model(turn, .upload)) }
            let before = history.records().map(\.version)
            for planted in 0..<12 {
                let name =
                    "\(folder)/a.pt.versions/99999999999999999\(planted % 10)-0000000\(planted % 8).pt"
                try Data([1]).write(to: URL(fileURLWithPath: name))
            }
            try history.publishNext(model(9, .upload))
            let left = Set(history.records().map(\.version))
            #expect(left.isSuperset(of: before))
        }
    }

    @Test func `a pinned version is let go when it is unpinned`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt", keeping: 1)
            let first = try history.publishNext(model(1, nil)).version
            let lock = try history.lock()
            try history.pin(first, true, under: lock)
            #expect(throws: ModelFileError.self) {
                try history.pin(ModelVersion(77, "00000000"), true, under: lock)
            }
            _ = consume lock
            for turn in 2..<6 { try history.publishNext(model(turn, nil)) }
            #expect(history.records().first { $0.version == first }?.isPinned == true)
            let again = try history.lock()
            try history.pin(first, false, under: again)
            _ = consume again
            try history.publishNext(model(9, nil))
            #expect(!history.records().contains { $0.version == first })
        }
    }

    @Test func `the built-in model is a version that can be restored`() throws {
        try withFolder { folder in
            let builtIn = smallModel(50)
            let history = ModelHistory(path: "\(folder)/a.pt", builtIn: builtIn)
            #expect(history.records().map(\.version) == [builtIn.version])
            #expect(history.records().first?.isLive == true)
            try history.publishNext(smallModel(1))
            #expect(history.records().map(\.isLive) == [true, false])
            let lock = try history.lock()
            #expect(try history.restore(builtIn.version, under: lock).version == builtIn.version)
            #expect(try history.live()?.version == builtIn.version)
            #expect(history.records().map(\.isLive).filter { $0 }.count == 1)
        }
    }

    private func model(
        _ value: Int, _ origin: Checkpoint.Origin?, lines: Int = 3, cosine: Double? = nil
    ) -> Checkpoint {
        let heldOut = cosine.map { "{\"denoised_cosine\":\($0)}" } ?? "null"
        var metadata = ["report": "{\"distinct_lines\":\(lines),\"held_out\":\(heldOut)}"]
        metadata["origin"] = origin?.rawValue
        return Checkpoint(tensors: smallModel(value).tensors, metadata: metadata)
    }
}

@Suite struct `The lock file` {
    @Test(arguments: [
        (0o755, 0o600), (0o775, 0o660), (0o777, 0o666), (0o700, 0o600), (0o1777, 0o600),
        (0o1775, 0o600),
    ])
    func `belongs to those who may write into its folder`(folderMode: Int, mode: Int) throws {
        try withFolder { folder in
            unsafe chmod(folder, mode_t(folderMode))
            // One of before, that all may read.
            try Data().write(to: URL(fileURLWithPath: "\(folder)/a.pt.lock"))
            unsafe chmod("\(folder)/a.pt.lock", 0o644)
            _ = try TrainingLock(for: "\(folder)/a.pt")
            let found = try FileManager.default.attributesOfItem(atPath: "\(folder)/a.pt.lock")
            #expect(found[.posixPermissions] as? Int == mode)
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root makes files for others"))
    func `made by root, belongs to the owner of its folder`() throws {
        try withFolder { folder in
            let models = "\(folder)/models"
            try FileManager.default.createDirectory(
                atPath: models, withIntermediateDirectories: false,
                attributes: [.ownerAccountID: 65534, .groupOwnerAccountID: 65533])
            let history = ModelHistory(path: "\(models)/a.pt")
            let lock = try history.lock()
            let first = try history.publish(smallModel(1), replacing: nil, under: lock)
            _ = try history.publish(smallModel(2), replacing: first.version, under: lock)
            for made in ["a.pt.lock", "a.pt.versions"] {
                let found = try FileManager.default.attributesOfItem(atPath: "\(models)/\(made)")
                #expect(found[.ownerAccountID] as? Int == 65534, "\(made)")
                #expect(found[.groupOwnerAccountID] as? Int == 65533, "\(made)")
            }
        }
    }

    @Test func `deleted, lets no two publish over each other`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let first = try history.lock()
            try FileManager.default.removeItem(atPath: "\(folder)/a.pt.lock")
            let isInForce = first.isInForce
            #expect(!isInForce)
            let second = try history.lock()
            #expect(throws: ModelFileError.busy(file: "\(resolvedPath(folder))/a.pt.lock")) {
                try history.publish(smallModel(1), replacing: nil, under: first)
            }
            _ = try history.publish(smallModel(2), replacing: nil, under: second)
            _ = consume second
            // Nobody holds the new file any more: the work is not lost for its sake.
            let live = try history.live()?.version
            _ = try history.publish(smallModel(3), replacing: live, under: first)
        }
    }

    @Test func `deleted while another waits for it, is made anew`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("lock-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try TrainingLock(for: "\(folder)/a.pt")
        async let second = onOwnThread {
            try TrainingLock(for: "\(folder)/a.pt", waiting: .seconds(20)).isInForce
        }
        try await Task.sleep(for: .milliseconds(100))
        try FileManager.default.removeItem(atPath: "\(folder)/a.pt.lock")
        _ = consume first
        #expect(try await second)
    }
}
