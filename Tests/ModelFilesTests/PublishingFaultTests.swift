import Foundation
import Synchronization
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `Publishing that fails` {
    /// The steps of a publication on top of another, in order.
    private static let steps: [FileSystem.Step] = [
        .create, .reserve, .write, .permit, .sync, .makeDirectory, .link, .rename, .remove,
        .syncDirectory, .rename, .syncDirectory,
    ]

    @Test func `takes the steps that the tests below make fail`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            try ModelHistory(path: path).publishNext(smallModel(1))
            let faults = Faults()
            try faults.history(path).publishNext(smallModel(2))
            #expect(faults.steps == Self.steps)
        }
    }

    @Test(arguments: [
        (ENOSPC, "No space left on device"), (EDQUOT, "Disk quota exceeded"),
        (EROFS, "Read-only file system"), (EFBIG, "File too large"),
        (EACCES, "Permission denied"), (EIO, "Input/output error"),
    ])
    func `at any step leaves the live file, and nothing half made`(
        code: Int32, words: String
    ) throws {
        for (index, step) in Self.steps.enumerated() where step != .remove {
            try withFolder { folder in
                let path = "\(folder)/a.pt"
                try ModelHistory(path: path).publishNext(smallModel(1))
                let before = contents(path)
                let faults = Faults(at: index, code: code, lasting: false)
                let lock = try faults.history(path).lock(waiting: .seconds(5))
                let expected = try faults.history(path).live()?.version
                let error = try #require(throws: ModelFileError.self) {
                    try faults.history(path).publish(
                        smallModel(2), replacing: expected, under: lock)
                }
                #expect(error.description.hasSuffix(words), "\(error)")
                let file = error.description.prefix { $0 != ":" }
                #expect(file.hasPrefix(folder) && !file.hasSuffix(".new"), "\(error)")
                #expect(faults.steps.filter { $0 == .sync }.count <= 1, "fsync is never repeated")
                if index == Self.steps.count - 1 {
                    guard case .unconfirmed = error else {
                        Issue.record("\(error)")
                        return
                    }
                    #expect(try ModelHistory(path: path).live()?.settings == #"{"seed":2}"#)
                } else {
                    #expect(contents(path) == before, "\(step)")
                }
                #expect(!names(in: folder).contains { $0.hasSuffix(".new") }, "\(step)")
            }
        }
    }

    /// From one step on nothing happens any more, not even tidying up: what a killed process
    /// leaves.
    @Test func `for ever at any step leaves the old file or the new one, whole`() throws {
        var (old, new) = (0, 0)
        for index in 0...Self.steps.count {
            try withFolder { folder in
                let path = "\(folder)/a.pt"
                let first = try ModelHistory(path: path).publishNext(smallModel(1))
                let faults = Faults(at: index, code: EINTR, lasting: true)
                let second = try? faults.history(path).publishNext(smallModel(2))

                let live = try #require(try ModelHistory(path: path).live())
                #expect(live.settings == #"{"seed":1}"# || live.settings == #"{"seed":2}"#)
                if live.version == first.version { old += 1 } else { new += 1 }
                if let second { #expect(live.version == second.version) }

                let next = try ModelHistory(path: path).publishNext(smallModel(3))
                #expect(next.parent == live.version)
                #expect(next.version.number == live.version.number + 1)
                let records = ModelHistory(path: path).records()
                #expect(records.allSatisfy { $0.problem == nil })
                #expect(records.dropFirst().first?.version == live.version)
                #expect(!names(in: folder).contains { $0.hasSuffix(".new") })
            }
        }
        print("stopped at each of \(Self.steps.count) steps: \(old) old, \(new) new")
        #expect(old > 0 && new > 0)
    }

    @Test func `only to link keeps a copy instead`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            let first = try ModelHistory(path: path).publishNext(smallModel(1))
            let bytes = contents(path)
            let link = try #require(Self.steps.firstIndex(of: .link))
            let faults = Faults(at: link, code: EPERM, lasting: false)
            let second = try faults.history(path).publishNext(smallModel(2))
            #expect(faults.steps.filter { $0 == .create }.count == 2)
            #expect(second.parent == first.version)
            #expect(contents("\(path).versions/\(first.version).pt") == bytes)
        }
    }

    @Test func `only to link keeps a copy of a damaged file too, whatever its size`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            // More than one portion, and no model at all.
            let text = Array(
                repeatElement(Array("somebody's text\n".utf8), count: 100_000).joined())
            try Data(text).write(to: URL(fileURLWithPath: path))
            unsafe chmod(path, 0o640)
            let history = ModelHistory(
                path: path, system: FileSystem { step, _ in step == .link ? EPERM : nil })
            let lock = try history.lock()
            let first = try history.publish(smallModel(1), replacing: nil, under: lock)
            #expect(try history.live()?.version == first.version)
            let kept = "\(path).versions/damaged.pt"
            #expect(contents(kept) == text)
            let found = try FileManager.default.attributesOfItem(atPath: kept)
            #expect(found[.posixPermissions] as? Int == 0o640)
            #expect(!names(in: folder).contains { $0.hasSuffix(".new") })

            // A disk that has no room for the copy: the file stays where it is.
            try Data(text).write(to: URL(fileURLWithPath: path))
            let full = ModelHistory(
                path: path,
                system: FileSystem { step, file in
                    step == .link
                        ? EPERM
                        : step == .write && file.hasSuffix("damaged.pt") ? ENOSPC : nil
                })
            #expect(throws: ModelFileError.self) {
                try full.publish(smallModel(2), replacing: nil, under: lock)
            }
            #expect(contents(path) == text)
            #expect(!names(in: folder).contains { $0.hasSuffix(".new") })
        }
    }

    @Test func `beyond the limit of file sizes is an error, not a signal`() async throws {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let path = "\(folder)/a.pt"
                let first = try ModelHistory(path: path).publishNext(smallModel(1))
                // As the program does: the error then comes from the call.
                signal(SIGXFSZ, SIG_IGN)
                var limit = rlimit(rlim_cur: 16_384, rlim_max: 16_384)
                #expect(unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0)
                let error = try #require(throws: ModelFileError.self) {
                    try ModelHistory(path: path).publishNext(smallModel(2, floats: 100_000))
                }
                #expect(error.description.hasSuffix("cannot reserve room: File too large"))
                #expect(try ModelHistory(path: path).live()?.version == first.version)
                #expect(!names(in: folder).contains { $0.hasSuffix(".new") })
            }
        }
    }

    @Test func `because its process is killed leaves the old file or the new one, whole`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("killed-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/a.pt"
        let history = ModelHistory(path: path)
        try history.publishNext(smallModel(0))
        var numbers: [Int] = []
        // `KILLS` raises the number.
        let asked = ProcessInfo.processInfo.environment["KILLS"].flatMap { Int($0) }
        for round in 0..<(asked ?? 12) {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, round = round as Int] in
                var random = SplitMix(state: UInt64(round))
                let delay = Double(random.next() % 40_000) / 1_000_000
                Thread.detachNewThread {
                    Thread.sleep(forTimeInterval: delay)
                    kill(getpid(), SIGKILL)
                }
                for seed in 1... {
                    try ModelHistory(path: path)
                        .publishNext(smallModel(1000 * round + seed, floats: 2_000))
                }
            }
            // The dead process holds no lock, and what it left is no obstacle.
            let live = try #require(try history.live())
            numbers.append(live.version.number)
            #expect(history.records().allSatisfy { $0.problem == nil })
            let next = try history.publishNext(smallModel(round))
            #expect(next.parent == live.version)
        }
        print("live versions after each kill: \(numbers)")
        #expect(!names(in: folder).contains { $0.hasSuffix(".new") })
        #expect(numbers == numbers.sorted())
    }
}

/// Makes the step of a given index fail, once or from there on, and notes all steps.
private final class Faults: Sendable {
    private let taken = Mutex<[FileSystem.Step]>([])
    private let index: Int
    private let code: Int32
    private let isLasting: Bool

    init(at index: Int = .max, code: Int32 = 0, lasting: Bool = false) {
        self.index = index
        self.code = code
        isLasting = lasting
    }

    var steps: [FileSystem.Step] { taken.withLock { $0 } }

    func history(_ path: String) -> ModelHistory {
        ModelHistory(
            path: path,
            system: FileSystem { step, _ in
                self.taken.withLock { taken in
                    defer { taken.append(step) }
                    return taken.count == self.index || taken.count > self.index && self.isLasting
                        ? self.code : nil
                }
            })
    }
}
