import Foundation
import Testing

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
            #expect(rename(other, path) == 0)
            #expect(replaced.condition == .replaced)

            let moved = try MappedFile(mapping: path)
            #expect(rename(path, "\(folder)/c") == 0)
            #expect(moved.condition == .replaced)
            #expect(rename("\(folder)/c", path) == 0)

            let touched = try MappedFile(mapping: path)
            Thread.sleep(forTimeInterval: 0.02)
            #expect(chmod(path, 0o600) == 0)
            #expect(touched.condition == .touched)

            let written = try MappedFile(mapping: path)
            #expect(written.condition == .whole)
            let times = try FileManager.default.attributesOfItem(atPath: path)
            Thread.sleep(forTimeInterval: 0.02)
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
            #expect(truncate(path, 4096) == 0)
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
            Thread.sleep(forTimeInterval: 5)
            print(file.count)
        }
    }
}
