import Foundation
import Glibc
import Synchronization
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `A file that grows` {
    @Test func `takes its place when it is whole, with the mode of the one before`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.npy"
            for mode in [0o600, 0o640, 0o604] {
                try Data([9]).write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes(
                    [.posixPermissions: mode], ofItemAtPath: path)
                let file = try GrowingFile(replacing: path)
                try file.append([1, 2])
                #expect(contents(path) == [9])
                try file.append([3])
                try file.commit()
                #expect(contents(path) == [1, 2, 3])
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.posixPermissions] as? Int == mode)
                #expect(names(in: folder) == ["a.npy"])
            }
        }
    }

    @Test func `can have its beginning written again, and grows on at its end`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.npy"
            let file = try GrowingFile(replacing: path)
            try file.append([0, 0, 3])
            try file.overwrite([1, 2])
            try file.append([4])
            try file.commit()
            #expect(contents(path) == [1, 2, 3, 4])
        }
    }

    @Test func `given up leaves the one before and nothing else`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.npy"
            try Data([9]).write(to: URL(fileURLWithPath: path))
            for _ in 0..<2 {
                let file = try GrowingFile(replacing: path)
                try file.append([1])
                #expect(names(in: folder).count == 2)
            }
            #expect(names(in: folder) == ["a.npy"])
            #expect(contents(path) == [9])
        }
    }

    @Test(arguments: [FileSystem.Step.create, .write, .permit, .sync, .rename])
    func `that fails at a step leaves the one before and nothing else`(
        step: FileSystem.Step
    ) throws {
        try withFolder { folder in
            let path = "\(folder)/a.npy"
            try Data([9]).write(to: URL(fileURLWithPath: path))
            let system = FileSystem { taken, _ in taken == step ? ENOSPC : nil }
            let error = try #require(throws: ModelFileError.self) {
                let file = try GrowingFile(replacing: path, system: system)
                try file.append([1])
                try file.commit()
            }
            #expect(error.description.hasPrefix("\(path): cannot "))
            #expect(error.description.hasSuffix("No space left on device"))
            #expect(contents(path) == [9])
            #expect(names(in: folder) == ["a.npy"])
        }
    }

    @Test func `removes what the dead left, and nothing of the living`() throws {
        try withFolder { folder in
            let path = "\(folder)/a.npy"
            let living = try GrowingFile(replacing: path)
            try FileManager.default.moveItem(
                atPath: living.temporary, toPath: "\(folder)/.a.npy.1.new")
            for name in [".a.npy.4194305.new", ".b.npy.4194305.new"] {
                try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            let file = try GrowingFile(replacing: path)
            try file.commit()
            #expect(names(in: folder) == [".a.npy.1.new", ".b.npy.4194305.new", "a.npy"])
            withExtendedLifetime(living) {}
        }
    }
}

@Suite struct `A link that leads to nothing yet` {
    /// Links in a folder and where what is written through the first comes to stand.
    private static let links: [([String: String], file: String)] = [
        (["a.pt": "real.pt"], "real.pt"),
        (["a.pt": "sub/real.pt"], "sub/real.pt"),
        (["a.pt": "b.pt", "b.pt": "c.pt", "c.pt": "../x/real.pt"], "real.pt"),
        (["a.pt": "made/on/the/way/real.pt"], "made/on/the/way/real.pt"),
    ]

    @Test(arguments: links)
    func `is written through by a publication, and stays`(
        links: [String: String], file: String
    ) throws {
        try withFolder { outer in
            let folder = "\(outer)/x"
            try lay(links, in: folder)
            let history = ModelHistory(path: "\(folder)/a.pt")
            try history.publishNext(smallModel(1))
            try history.publishNext(smallModel(2))
            try expectLinks(links, in: folder)
            let real = ModelHistory(path: "\(folder)/\(file)")
            #expect(try real.live()?.settings == #"{"seed":2}"#)
            #expect(real.records().map(\.version.number) == [2, 1])
            #expect(history.records().map(\.version.number) == [2, 1])
            #expect(names(in: folder).contains("\(file).versions"))
        }
    }

    @Test(arguments: links.prefix(3))
    func `is written through by files that grow and that are replaced`(
        links: [String: String], file: String
    ) throws {
        try withFolder { outer in
            let folder = "\(outer)/x"
            try lay(links, in: folder)
            let growing = try GrowingFile(replacing: "\(folder)/a.pt")
            try growing.append([1, 2])
            try growing.commit()
            #expect(contents("\(folder)/\(file)") == [1, 2])
            for bytes: [UInt8] in [[3], [4]] {
                try replaceFile(
                    at: "\(folder)/a.pt", with: bytes, likeThatAt: "\(folder)/\(file)")
                #expect(contents("\(folder)/\(file)") == bytes)
            }
            try expectLinks(links, in: folder)
        }
    }

    @Test func `in a circle is an error`() throws {
        try withFolder { folder in
            try lay(["a.pt": "b.pt", "b.pt": "a.pt"], in: folder)
            #expect(throws: ModelFileError.self) {
                try ModelHistory(path: "\(folder)/a.pt").publishNext(smallModel(1))
            }
            #expect(throws: ModelFileError.self) {
                try GrowingFile(replacing: "\(folder)/a.pt").commit()
            }
            try expectLinks(["a.pt": "b.pt", "b.pt": "a.pt"], in: folder)
        }
    }

    @Test func `under a folder whose name is not UTF-8 keeps the path as given`() throws {
        try withFolder { folder in
            var name = Array(folder.utf8CString.dropLast()) + [0x2F, CChar(bitPattern: 0xE9), 0]
            #expect(unsafe mkdir(&name, 0o777) == 0)
            #expect(unsafe symlink(&name, "\(folder)/link") == 0)
            let history = ModelHistory(path: "\(folder)/link/a.pt")
            try history.publishNext(smallModel(1))
            #expect(try history.live()?.version.number == 1)
        }
    }

    private func lay(_ links: [String: String], in folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(folder)/sub", withIntermediateDirectories: true)
        for (link, target) in links {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/\(link)", withDestinationPath: target)
        }
    }

    private func expectLinks(_ links: [String: String], in folder: String) throws {
        for (link, target) in links {
            let found = try FileManager.default.destinationOfSymbolicLink(
                atPath: "\(folder)/\(link)")
            #expect(found == target)
        }
    }
}
