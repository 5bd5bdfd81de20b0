import Foundation
import ModelFiles
import TestSupport
import Testing

@testable import Inference

@Suite struct `The live model` {
    private let fixture = Fixtures(of: "ModelFilesTests").path("embedding_denoiser.pt")

    private func copy(to path: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: fixture))
            .write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    @Test func `is tried again after an error of the system, without a request and by itself`()
        throws
    {
        try withFolder { folder in
            let lines = Lines()
            let path = "\(folder)/link/a.pt"
            let manager = FileManager.default
            // A link to itself, which the system refuses to follow.
            try manager.createSymbolicLink(
                atPath: "\(folder)/link", withDestinationPath: "\(folder)/link")
            let live = try LiveModel(
                path: path, fallback: .builtIn, standsIn: true, report: lines.add)
            try live.follow()
            #expect(live.fault?.isPassing == true)
            #expect(live.current()?.version == DenoiserModel.builtIn?.version)
            try manager.createDirectory(
                atPath: "\(folder)/real", withIntermediateDirectories: true)
            try copy(to: "\(folder)/real/a.pt")
            try manager.removeItem(atPath: "\(folder)/link")
            try manager.createSymbolicLink(
                atPath: "\(folder)/link", withDestinationPath: "\(folder)/real")
            #expect(eventually(within: 10) { live.fault == nil }, "nobody asks for it meanwhile")
            #expect(live.current()?.version == (try DenoiserModel(reading: path).version))
        }
    }

    @Test func `an error of the system without anything in its place is thrown`() throws {
        try withFolder { folder in
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/a.pt", withDestinationPath: "\(folder)/a.pt")
            #expect(throws: ModelFault.self) {
                _ = try LiveModel(path: "\(folder)/a.pt", fallback: .builtIn) { _ in }
            }
            #expect(throws: ModelFault.self) {
                _ = try LiveModel(path: "\(folder)/a.pt", fallback: nil, standsIn: true) { _ in }
            }
        }
    }

    @Test func `a damaged file changes nothing, is told once, and a whole one takes its place`()
        throws
    {
        try withFolder { folder in
            let (lines, path) = (Lines(), "\(folder)/a.pt")
            let live = try LiveModel(path: path, fallback: .builtIn, report: lines.add)
            try live.follow()
            try Data("no model".utf8).write(to: URL(fileURLWithPath: path))
            #expect(eventually(within: 5) { live.current() != nil && live.fault != nil })
            for _ in 0..<5 {
                live.refresh()
                #expect(live.current()?.version == DenoiserModel.builtIn?.version)
            }
            #expect(lines.all.count == 1, "\(lines.all)")
            #expect(throws: ModelFault.self) { try live.reload() }
            try copy(to: path)
            let version = try DenoiserModel(reading: path).version
            #expect(eventually(within: 5) { live.current()?.version == version })
            #expect(live.fault == nil)
        }
    }

    @Test func `a file is followed without any request`() throws {
        try withFolder { folder in
            let (lines, path) = (Lines(), "\(folder)/a.pt")
            let live = try LiveModel(path: path, fallback: .builtIn, report: lines.add)
            try live.follow()
            try copy(to: path)
            let version = try DenoiserModel(reading: path).version
            #expect(eventually(within: 5) { lines.all.contains { $0.contains(version) } })
            #expect(live.current()?.version == version)
        }
    }

    @Test func `a file that is gone counts when that is asked for`() throws {
        try withFolder { folder in
            let (lines, path) = (Lines(), "\(folder)/a.pt")
            try copy(to: path)
            let live = try LiveModel(path: path, fallback: .builtIn, report: lines.add)
            try live.follow()
            let version = try #require(live.current()?.version)
            try FileManager.default.removeItem(atPath: path)
            #expect(eventually(within: 5) { live.current() != nil && live.fault != nil })
            #expect(live.current()?.version == version)
            try live.reload()
            #expect(live.current()?.version == DenoiserModel.builtIn?.version)
            #expect(live.fault == nil)
            #expect(eventually(within: 5) { lines.all.count == 2 }, "\(lines.all)")
        }
    }
}
