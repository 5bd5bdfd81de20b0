import Foundation
import Testing

/// Every input that a fuzz run kept, findings among them, once more.
@Suite struct `The corpus of the fuzzer` {
    @Test(arguments: Probe.all.map(\.name))
    func `Kept inputs are read or refused, the same way twice`(name: String) throws {
        let probe = try #require(Probe.all.first { $0.name == name })
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Corpus").appending(path: name)
        let files = try FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try probe.run(bytes) }
        }
    }
}
