import Foundation
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `A mapped file` {
    private func write(_ count: Int, to path: String) throws {
        try Data(repeating: 7, count: count).write(to: URL(fileURLWithPath: path))
    }

    @Test func `knows what became of it`() throws {
        try withFolder { folder in
            let (path, other) = ("\(folder)/a", "\(folder)/b")
            try write(8192, to: path)
            let replaced = try MappedFile(mapping: path)
            #expect(replaced.condition == .whole)
            try write(8192, to: other)
            #expect(isMoved(other, to: path))
            #expect(replaced.condition == .replaced)

            let moved = try MappedFile(mapping: path)
            #expect(isMoved(path, to: "\(folder)/c"))
            #expect(moved.condition == .replaced)
            #expect(isMoved("\(folder)/c", to: path))

            let touched = try MappedFile(mapping: path)
            usleep(20_000)
            #expect(isPrivate(path))
            #expect(touched.condition == .touched)

            let written = try MappedFile(mapping: path)
            #expect(written.condition == .whole)
            let times = try FileManager.default.attributesOfItem(atPath: path)
            usleep(20_000)
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.write(contentsOf: Data([1, 2, 3]))
            #expect(written.condition == .overwritten)
            // As `cp -p` does behind a copy.
            try FileManager.default.setAttributes(
                [.modificationDate: try #require(times[.modificationDate])], ofItemAtPath: path)
            #expect(written.condition != .whole)

            let cut = try MappedFile(mapping: path)
            try handle.truncate(atOffset: 10)
            #expect(cut.condition == .overwritten)
        }
    }

    @Test func `cut short ends the process with a line that names it`() async throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "cut-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(1 << 20, to: path)
        let ended = await #expect(
            processExitsWith: .exitCode(74), observing: [\.standardErrorContent]
        ) { [path = path as String] in
            let file = try MappedFile(mapping: path)
            #expect(isCut(path, to: 4096))
            print(file.bytes(in: 100_000..<100_010))
        }
        let told = String(decoding: ended?.standardErrorContent ?? [], as: UTF8.self)
        #expect(told.hasPrefix("denoiser: \(path): mapped, and cannot be read any more"))
        #expect(told.split(separator: "\n").count == 1)
    }

    @Test func `a fault elsewhere ends the process as ever`() async throws {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            let path = FileManager.default.temporaryDirectory.appending(path: "whole").path
            try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: path))
            let file = try MappedFile(mapping: path)
            kill(getpid(), SIGBUS)
            usleep(5_000_000)
            print(file.count)
        }
    }
}

private func isMoved(_ path: String, to other: String) -> Bool { unsafe rename(path, other) == 0 }

/// Gives a file another mode.
private func isPrivate(_ path: String) -> Bool { unsafe chmod(path, 0o600) == 0 }

private func isCut(_ path: String, to length: Int) -> Bool {
    unsafe truncate(path, off_t(length)) == 0
}
