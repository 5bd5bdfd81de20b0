import Foundation
import Inference
import ModelFiles
import System
import TestSupport
import Testing

@testable import denoiser

@Suite struct `The watch over the encoder's files` {
    private func withFiles(_ body: (String, EncoderFiles) throws -> Void) throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder)
            let embedder = try Inference.loadEmbedder(folder: folder, threads: 1)
            try body(folder, #require(embedder.files))
        }
    }

    /// Puts another file of that name in its place, by renaming.
    ///
    /// The file before keeps another name: the next one would get its inode, and seem written over.
    private func replace(_ path: String, with text: String) throws {
        try FileManager.default.linkItem(
            atPath: path, toPath: path + ".\(UInt32.random(in: 0...UInt32.max))")
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    @Test func `says nothing while nothing changes`() throws {
        try withFiles { _, files in
            var watch = EncoderWatch()
            for _ in 0..<3 {
                let (lines, isDue) = watch.step(files, files.look())
                #expect(lines == [] && !isDue)
            }
        }
    }

    @Test func `has changed files read once they stand still, and tells of each once`() throws {
        try withFiles { folder, files in
            var watch = EncoderWatch()
            try replace(folder + "/vocab.txt", with: "[PAD]\n")
            let first = watch.step(files, files.look())
            #expect(!first.isDue && first.lines.count == 1)
            #expect(first.lines[0].contains("vocab.txt was replaced"))
            try replace(folder + "/vocab.txt", with: "[PAD]\n[UNK]\n")
            let moving = watch.step(files, files.look())
            #expect(!moving.isDue && moving.lines == [])
            #expect(watch.step(files, files.look()).isDue)
        }
    }

    @Test func `tries the same files again only after a passing fault`() throws {
        try withFiles { folder, files in
            var watch = EncoderWatch()
            try replace(folder + "/vocab.txt", with: "[PAD]\n")
            let look = files.look()
            _ = watch.step(files, look)
            #expect(watch.step(files, look).isDue)
            #expect(watch.fail(.configuration("bad")) == "the encoder is not read anew: bad")
            #expect(!watch.step(files, look).isDue)
            #expect(watch.fail(.configuration("bad")) == nil)
            try replace(folder + "/vocab.txt", with: "[PAD]\n[UNK]\n[CLS]\n")
            let next = files.look()
            _ = watch.step(files, next)
            #expect(watch.step(files, next).isDue)
            _ = watch.fail(.configuration("busy", isPassing: true))
            #expect(eventually(within: 5) { watch.step(files, next).isDue })
        }
    }

    @Test func `takes no file written over in place of which nothing says that it is whole`() throws
    {
        try withFiles { folder, files in
            let path = folder + "/vocab.txt"
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.write(contentsOf: Data("[pad]".utf8))
            try file.close()
            let error = #expect(throws: CommandFailure.self) {
                try EncoderWatch.check(files, files.look())
            }
            #expect(error?.description.contains("vocab.txt was written over in place") == true)
            let sum = try SHA256.hex(ofFile: path)
            try Data("\(sum)  vocab.txt\n".utf8)
                .write(to: URL(filePath: folder + "/SHA256SUMS"))
            try EncoderWatch.check(files, files.look())
            try Data("\(String(sum.reversed()))  vocab.txt\n".utf8)
                .write(to: URL(filePath: folder + "/SHA256SUMS"))
            #expect(throws: CommandFailure.self) { try EncoderWatch.check(files, files.look()) }
        }
    }
}
