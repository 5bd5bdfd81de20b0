import Foundation
import System
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `Publishing` {
    @Test(arguments: ["pt", "safetensors"])
    func `counts versions up and keeps the ten before the live one`(ending: String) throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/models/a.\(ending)")
            #expect(try history.live() == nil)
            var published: [Checkpoint] = []
            for seed in 1...14 {
                published.append(try history.publishNext(smallModel(seed)))
                #expect(try history.live()?.version == published.last?.version)
            }
            #expect(published.map(\.version.number) == Array(1...14))
            #expect(Set(published.map(\.version.digest)).count == 14)

            let records = history.records()
            #expect(records.map(\.version) == published.suffix(11).reversed().map(\.version))
            #expect(records.map(\.isLive) == [true] + [Bool](repeating: false, count: 10))
            for (record, before) in zip(records, published.dropLast().reversed()) {
                #expect(record.parent == before.version)
                #expect(record.problem == nil)
                #expect(record.settings == #"{"seed":\#(record.version.number)}"#)
                #expect(record.report == #"{"loss":0.25}"#)
                #expect(record.corpusDigest == SHA256.hex(of: []))
                #expect(abs((record.publishedAt ?? 0) - Int(Date().timeIntervalSince1970)) < 600)
            }
            #expect(published[0].parent == nil)
            #expect(
                names(in: "\(folder)/models").filter { $0.hasPrefix(".") } == [], "nothing is left")
            let magic = contents(history.path).prefix(2)
            #expect((magic == [0x50, 0x4B]) == (ending == "pt"))
        }
    }

    @Test func `switches back to a kept version, and counts on from the highest`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let published = try (1...4).map { try history.publishNext(smallModel($0)) }
            let second = published[1]
            let restored = try history.restore(
                second.version, under: history.lock(waiting: .seconds(5)))
            #expect(restored.version == second.version)
            #expect(try history.live()?.settings == #"{"seed":2}"#)
            #expect(history.records().map(\.version.number) == [4, 3, 2, 1])
            #expect(history.records().map(\.isLive) == [false, false, true, false])
            // Again: nothing to do.
            _ = try history.restore(second.version, under: history.lock(waiting: .seconds(5)))

            let next = try history.publishNext(smallModel(5))
            #expect(next.version.number == 5)
            #expect(next.parent == second.version)
            #expect(history.records().map(\.version.number) == [5, 4, 3, 2, 1])

            let unknown = try #require(ModelVersion("9-00000000"))
            let lock = try history.lock(waiting: .seconds(5))
            let error = ModelFileError.unknownVersion(file: history.path, version: "9-00000000")
            #expect(throws: error) { try history.restore(unknown, under: lock) }
        }
    }

    @Test func `keeps a version safe from who overwrites the live file in place`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let first = try history.publishNext(smallModel(1))
            try history.publishNext(smallModel(2))
            _ = try history.restore(first.version, under: history.lock(waiting: .seconds(5)))
            let handle = try #require(FileHandle(forWritingAtPath: history.path))
            try handle.write(contentsOf: Data([0, 0, 0, 0]))
            #expect(throws: ModelFileError.self) { try history.live() }
            let again = try history.restore(
                first.version, under: history.lock(waiting: .seconds(5)))
            #expect(again.version == first.version)
            #expect(try history.live()?.version == first.version)
        }
    }

    @Test func `a shelved version is kept, counted and restored, and what is live stays`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/m.pt")
            // Also before any is live.
            let early = try history.shelve(
                smallModel(0), beside: nil, under: try history.lock(waiting: .seconds(60)))
            #expect(early.version.number == 1 && contents(history.path).isEmpty)
            let live = try history.publishNext(smallModel(1))
            let bytes = contents(history.path)
            let shelved = try history.shelve(
                smallModel(2), beside: live.version, under: history.lock(waiting: .seconds(60)))
            #expect(contents(history.path) == bytes)
            #expect(shelved.version.number == 3 && shelved.parent == live.version)
            let records = history.records()
            #expect(records.map(\.version) == [shelved.version, live.version, early.version])
            #expect(records.map(\.isLive) == [false, true, false])
            #expect(throws: ModelFileError.self) {
                try history.shelve(
                    smallModel(3), beside: early.version,
                    under: history.lock(waiting: .seconds(60)))
            }
            let restored = try history.restore(
                shelved.version, under: history.lock(waiting: .seconds(60)))
            #expect(restored.version == shelved.version)
            #expect(try history.live()?.version == shelved.version)
            #expect(try history.publishNext(smallModel(4)).version.number == 4)
        }
    }

    @Test func `is refused when another version is live than the one it was made from`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let first = try history.publishNext(smallModel(1))
            let second = try history.publishNext(smallModel(2))
            let before = contents(history.path)
            let lock = try history.lock(waiting: .seconds(5))
            for stale in [first.version, nil] {
                let error = ModelFileError.superseded(
                    file: history.path, expected: stale?.description ?? "no file",
                    live: second.version.description)
                #expect(throws: error) {
                    try history.publish(smallModel(3), replacing: stale, under: lock)
                }
            }
            #expect(contents(history.path) == before)
        }
    }

    @Test func `keeps the original application's file under version 0`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt", keeping: 2)
            let original = try fixtures.bytes("small.pt")
            try Data(original).write(to: URL(fileURLWithPath: history.path))
            let version = try #require(try history.live()?.version)
            #expect(version.number == 0)
            for seed in 1...3 { try history.publishNext(smallModel(seed)) }
            #expect(history.records().map(\.version.number) == [3, 2, 1])
            // Back to one that torch wrote: it is kept as it is, even as the lowest number.
            try Data(original).write(to: URL(fileURLWithPath: history.path))
            try history.publishNext(smallModel(4))
            #expect(contents("\(history.path).versions/\(version).pt") == original)
            #expect(try history.live()?.parent == version)
            #expect(try history.live()?.version.number == 3, "3 was overwritten, 2 is the highest")
        }
    }

    @Test func `gives a claimed version up when the tensors are not its own`() throws {
        let published = smallModel(1).published(as: 7, parent: nil, at: 0)
        let altered = Checkpoint(tensors: smallModel(2).tensors, metadata: published.metadata)
        #expect(published.version.number == 7)
        #expect(altered.version.number == 0)
        let again = try Checkpoint(decoding: published.encoded(as: .pt), file: "a")
        #expect(again.version == published.version)
        for text in ["", "7", "7-", "-7-00000000", "07-00000000", "7-0000000G", "7-000000000"] {
            #expect(ModelVersion(text) == nil)
        }
        #expect(ModelVersion("9999999999999999999-00000000") == nil)
    }

    @Test func `replaces a damaged live file, of which what there is is kept`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            try history.publishNext(smallModel(1))
            try history.publishNext(smallModel(2))
            let cut = Array(contents(history.path).dropLast(100))
            try Data(cut).write(to: URL(fileURLWithPath: history.path))
            #expect(try history.parent() == nil)
            let lock = try history.lock(waiting: .seconds(5))
            let third = try history.publish(smallModel(3), replacing: nil, under: lock)
            #expect(try history.live()?.version == third.version)
            #expect(third.version.number == 3)
            #expect(third.parent == nil)
            #expect(contents("\(history.path).versions/damaged.pt") == cut)
            #expect(history.records().map(\.version.number) == [3, 1])
            #expect(names(in: folder).filter { $0.hasSuffix(".new") } == [])
        }
    }

    @Test func `does not replace what is no file`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            try FileManager.default.createDirectory(
                atPath: history.path, withIntermediateDirectories: true)
            #expect(throws: ModelFileError.self) { try history.parent() }
            let lock = try history.lock(waiting: .seconds(5))
            #expect(throws: ModelFileError.self) {
                try history.publish(smallModel(1), replacing: nil, under: lock)
            }
            #expect(names(in: folder) == ["a.pt", "a.pt.lock"])
        }
    }

    @Test func `over a damaged live file a version made from another is refused`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let first = try history.publishNext(smallModel(1))
            try history.publishNext(smallModel(2))
            let cut = Array(contents(history.path).dropLast(100))
            try Data(cut).write(to: URL(fileURLWithPath: history.path))
            let lock = try history.lock(waiting: .seconds(5))
            #expect(throws: ModelFileError.self) {
                try history.publish(smallModel(3), replacing: first.version, under: lock)
            }
            #expect(contents(history.path) == cut)
            #expect(history.records().map(\.version) == [first.version])
            #expect(try history.restore(first.version, under: lock).version == first.version)
            #expect(try history.live()?.version == first.version)
        }
    }

    @Test func `lists a damaged kept version with what is wrong, and never puts it live`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            let first = try history.publishNext(smallModel(1))
            let second = try history.publishNext(smallModel(2))
            let kept = "\(history.path).versions/\(first.version).pt"
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: kept))
            let record = try #require(history.records().last)
            #expect(record.version == first.version)
            #expect(record.problem?.hasPrefix("\(kept): neither a PyTorch") == true)
            let lock = try history.lock(waiting: .seconds(5))
            #expect(throws: ModelFileError.self) {
                try history.restore(first.version, under: lock)
            }
            try Data(contents(history.path)).write(to: URL(fileURLWithPath: kept))
            #expect(throws: ModelFileError.self) {
                try history.restore(first.version, under: lock)
            }
            #expect(try history.live()?.version == second.version)
        }
    }

    @Test func `keeps the mode of the file it replaces, and follows links to it`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/real.pt")
            try history.publishNext(smallModel(1))
            for mode in [0o600, 0o640, 0o644] {
                try FileManager.default.setAttributes(
                    [.posixPermissions: mode], ofItemAtPath: history.path)
                try FileManager.default.removeIfPresent("\(folder)/link.pt")
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/link.pt", withDestinationPath: "real.pt")
                try ModelHistory(path: "\(folder)/link.pt").publishNext(smallModel(mode))
                let attributes = try FileManager.default.attributesOfItem(atPath: history.path)
                #expect(attributes[.posixPermissions] as? Int == mode)
            }
            #expect(history.records().map(\.version.number) == [4, 3, 2, 1])
            #expect(!names(in: folder).contains("link.pt.versions"))
        }
    }

    @Test func `removes what killed processes left, and nothing else`() throws {
        try withFolder { folder in
            let history = ModelHistory(path: "\(folder)/a.pt")
            try history.publishNext(smallModel(1))
            try history.publishNext(smallModel(2))
            let left = [".a.pt.4194305.new", "a.pt.versions/.a.pt.4194306.new"]
            let others = [".a.pt.b.77.new", ".a.pt.77", "a.pt.77.new", "a.pt.versions/notes.txt"]
            for name in left + others {
                try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try history.publishNext(smallModel(3))
            let present = Set(names(in: folder))
            #expect(present.isDisjoint(with: left))
            #expect(present.isSuperset(of: others))
        }
    }

    @Test func `by eight threads at once gives one unbroken chain`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("chain-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/a.pt"
        let links = try await withThrowingTaskGroup { group in
            for thread in 0..<8 {
                group.addTask {
                    // A thread of its own: waiting for the lock must not hold up other tests.
                    try await onOwnThread {
                        try (0..<4).map { turn in
                            let model = smallModel(10 * thread + turn)
                            let published = try ModelHistory(path: path).publishNext(model)
                            return (published.version, published.parent)
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let chain = links.sorted { $0.0.number < $1.0.number }
        #expect(chain.map(\.0.number) == Array(1...32))
        #expect(chain.map(\.1) == [nil] + chain.dropLast().map(\.0))
        let records = ModelHistory(path: path).records()
        #expect(records.map(\.version) == chain.suffix(11).reversed().map(\.0))
        #expect(records.allSatisfy { $0.problem == nil })
    }
}

/// Runs `body` on a new thread.
func onOwnThread<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Swift.Result { try body() })
        }
    }
}

extension FileManager {
    fileprivate func removeIfPresent(_ path: String) throws {
        if (try? attributesOfItem(atPath: path)) != nil { try removeItem(atPath: path) }
    }
}
