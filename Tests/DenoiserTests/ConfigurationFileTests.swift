import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import denoiser

/// A few options as `serve` has them; its parser takes long to make, and each line needs one.
private struct Options: ParsableCommand {
    @Option(transform: whole(1...100)) var rows = 1
    @Option var texts = 1
    @Option var keys: String?
    @Option var listen: String?
    @Option var socket: String?
    @Flag var noDefaultModel = false
}

@Suite struct `The configuration file` {
    /// What the file of this text adds to a command line.
    private func arguments(_ text: String, before given: [String] = []) throws -> [String] {
        try withFolder { folder in
            try Data(text.utf8).write(to: URL(filePath: folder + "/c"))
            return try ConfigurationFile(reading: folder + "/c", of: Options.self).arguments(
                before: given)
        }
    }

    @Test func `gives options by name, without the spaces around them`() throws {
        #expect(
            try arguments("# limits\n\nrows = 3\n  texts=2 \r\nkeys = a = b\n")
                == ["--rows=3", "--texts=2", "--keys=a = b"])
        #expect(try arguments("") == [])
    }

    @Test func `switches flags by a word, or by their name alone`() throws {
        for on in ["", " = true", " = yes", " = on", " = 1"] {
            #expect(try arguments("no-default-model\(on)\n") == ["--no-default-model"], "\(on)")
        }
        for off in ["false", "no", "off", "0"] {
            #expect(try arguments("no-default-model = \(off)\n") == [], "\(off)")
        }
    }

    @Test func `counts for what the command line does not decide`() throws {
        let text = "rows = 3\ntexts = 2\n"
        #expect(try arguments(text, before: ["--rows=5"]) == ["--texts=2", "--rows=5"])
        #expect(
            try arguments(text, before: ["--rows", "5"]) == ["--texts=2", "--rows", "5"])
        // One socket puts the other out of force.
        #expect(
            try arguments("listen = 127.0.0.1:1\n", before: ["--socket", "s"])
                == ["--socket", "s"])
    }

    @Test(arguments: [
        ("rows = 3\n\ntexst = 9\n", "c:3: "), ("rows = many\n", "c:1: "),
        ("\nrows = 0\n", "c:2: "), ("rows = 0\n", "from 1 to"),
        ("nonsense here\n", #"c:1: "nonsense here" is not `name = value`"#),
        ("--rows = 3\n", "without dashes"), ("config = other\n", "belongs on the command line"),
        ("help\n", "belongs on the command line"),
        ("no-default-model = perhaps\n", "must be true or false"),
    ])
    func `names the line that cannot be used, and what would be right`(
        text: String, words: String
    ) {
        let error = #expect(throws: CommandFailure.self) { try arguments(text) }
        let line = error?.description ?? ""
        #expect(line.contains(words) && !line.contains("\n"), "\(line)")
        #expect(error?.status == 78)
    }

    @Test(arguments: [
        ("rows = 3\ntexts = 2\n\nrows = 4\n", "c:4: rows stands in line 1, too"),
        ("rows = 3\nrows = 3\n", "c:2: rows stands in line 1, too"),
        (
            "no-default-model = false\n\nno-default-model\n",
            "c:3: no-default-model stands in line 1"
        ),
    ])
    func `refuses an option that stands in two lines, and names both`(
        text: String, words: String
    ) {
        let error = #expect(throws: CommandFailure.self) { try arguments(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `may give an option again that takes several values`() throws {
        let values = [
            "upload-origin": ["https://a.example", "https://b.example"],
            "allowed-host": ["a.example", "b.example"], "allow-user": ["1", "2"],
            "model-alias": ["a=all-MiniLM-L6-v2", "b=all-MiniLM-L6-v2-denoised"],
        ]
        try withFolder { folder in
            for (name, values) in values {
                let text = values.map { "\(name) = \($0)\n" }.joined()
                try Data(text.utf8).write(to: URL(filePath: folder + "/c"))
                let file = try ConfigurationFile(reading: folder + "/c", of: Serve.self)
                #expect(file.arguments(before: []) == values.map { "--\(name)=\($0)" })
            }
        }
        // The parser's own word for those options.
        struct Help: Decodable {
            struct Command: Decodable { let arguments: [Argument]? }
            struct Argument: Decodable {
                let isRepeating: Bool
                let preferredName: Name?
            }
            struct Name: Decodable { let name: String }
            let command: Command
        }
        let help = try JSONDecoder().decode(Help.self, from: Data(Serve._dumpHelp().utf8))
        let found = (help.command.arguments ?? []).filter(\.isRepeating).compactMap {
            $0.preferredName?.name
        }
        #expect(Set(found) == ConfigurationFile.repeatable && found.count == 4)
    }

    @Test func `that is no UTF-8, or missing, is refused in one line that names it`() throws {
        try withFolder { folder in
            try Data([0x23, 0x0A, 0xFF, 0x0A]).write(to: URL(filePath: folder + "/c"))
            for (path, words) in [("/c", "line 2, byte 1"), ("/none", "--config names it")] {
                let error = #expect(throws: CommandFailure.self) {
                    try ConfigurationFile(reading: folder + path, of: Options.self)
                }
                let line = error?.description ?? ""
                #expect(line.contains(folder + path) && line.contains(words), "\(line)")
            }
        }
    }
}
