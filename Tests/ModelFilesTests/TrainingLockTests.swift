import Foundation
import System
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `The training lock` {
    @Test func `has one owner at a time, also within one process`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            let busy = ModelFileError.busy(file: "\(path).lock")
            do {
                let lock = try TrainingLock(for: path)
                #expect(throws: busy) { try waste(TrainingLock(for: path)) }
                #expect(lock.modelPath == path)
                // Another model is another matter.
                waste(try TrainingLock(for: "\(folder)/b.pt"))
            }
            waste(try TrainingLock(for: path))
            #expect(names(in: folder) == ["a.pt.lock", "b.pt.lock"], "never deleted")
        }
    }

    @Test func `is waited for up to the time given`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            let (taken, enough) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            Thread.detachNewThread {
                guard let lock = try? TrainingLock(for: path) else { return }
                taken.signal()
                enough.wait()
                Thread.sleep(forTimeInterval: 0.1)
                waste(lock)
            }
            taken.wait()
            #expect(throws: ModelFileError.busy(file: "\(path).lock")) {
                try waste(TrainingLock(for: path, waiting: .milliseconds(50)))
            }
            enough.signal()
            waste(try TrainingLock(for: path, waiting: .seconds(60)))
        }
    }

    @Test func `is the same through a link, and one folder up`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            try Data([1]).write(to: URL(fileURLWithPath: path))
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/link.pt", withDestinationPath: "a.pt")
            let lock = try TrainingLock(for: path)
            for other in ["\(folder)/link.pt", "\(folder)/../\(name(of: folder))/a.pt"] {
                #expect(throws: ModelFileError.busy(file: "\(path).lock")) {
                    try waste(TrainingLock(for: other))
                }
            }
            waste(lock)
        }
    }

    @Test func `makes the model's folder, and says so when it cannot`() throws {
        try withFolder { folder in
            waste(try TrainingLock(for: "\(folder)/x/y/a.pt"))
            #expect(names(in: folder) == ["x", "x/y", "x/y/a.pt.lock"])
            try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/file"))
            let error = try #require(throws: ModelFileError.self) {
                try waste(TrainingLock(for: "\(folder)/file/a.pt"))
            }
            #expect(error.description.hasSuffix("Not a directory"))
        }
    }

    @Test func `is freed by the kernel when its owner is killed`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("lock-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/a.pt"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let lock = try TrainingLock(for: path)
            kill(getpid(), SIGKILL)
            waste(lock)
        }
        waste(try TrainingLock(for: path))
    }
}

@Suite struct `The identity of a file` {
    @Test func `changes when the file is replaced or rewritten, and not before`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.pt"
            #expect(FileIdentity.of(path) == nil)
            let history = ModelHistory(path: path)
            try history.publishNext(smallModel(1))
            let first = FileIdentity.of(path)
            #expect(first != nil)
            #expect(FileIdentity.of(path) == first)
            try history.publishNext(smallModel(2))
            let second = FileIdentity.of(path)
            #expect(second != first)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data([0]))
            #expect(FileIdentity.of(path) != second)
            let third = FileIdentity.of(path)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(FileIdentity.of(path) != third, "what could not be read may be readable now")
        }
    }

    @Test func `is none where there is no file, and unknown where nobody can see`() throws {
        try withFolder { folder in
            #expect(try FileIdentity.seen(at: "\(folder)/none") == nil)
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/a", withDestinationPath: "\(folder)/a")
            #expect(throws: ModelFileError.self) { try FileIdentity.seen(at: "\(folder)/a") }
        }
    }
}

/// Lets go of a lock.
private func waste(_ lock: consuming TrainingLock) {}
