import Foundation
import Kernels
import Testing

@testable import ModelFiles

@Suite struct `PyTorch files` {
    @Test(arguments: [
        "embedding_denoiser.pt", "small.pt", "protocol4.pt", "oldest.pt", "zip64.pt", "bare.pt",
        "strided.pt", "extras.pt",
    ])
    func `hold what PyTorch says they hold`(name: String) throws {
        let expected = try Expectation.of(name)
        let checkpoint = try Checkpoint(reading: fixturePath(name))
        #expect(described(checkpoint.tensors) == expected.tensors)
        #expect(checkpoint.embeddingDimension == expected.embedding_dim)
        #expect(checkpoint.metadata.isEmpty)
        #expect(checkpoint.version.number == 0)
    }

    @Test(arguments: ["embedding_denoiser.pt", "strided.pt"])
    func `come back bit for bit from both formats`(name: String) throws {
        let read = try Checkpoint(reading: fixturePath(name))
        let checkpoint = Checkpoint(
            tensors: read.tensors, embeddingDimension: read.embeddingDimension ?? 0,
            settings: #"{"epochs":100}"#, corpusDigest: SHA256.hex(of: []),
            report: "\"line\n\u{0}\\ \u{1F600} 歡迎\"")
        for format in [Checkpoint.Format.pt, .safetensors] {
            let bytes = checkpoint.encoded(as: format)
            let again = try Checkpoint(decoding: bytes, file: "again")
            // In a safetensors file an empty tensor has no place of its own, so names decide.
            let order = { (a: Expectation.Entry, b: Expectation.Entry) in a.name < b.name }
            #expect(
                described(again.tensors).sorted(by: order)
                    == described(checkpoint.tensors).sorted(by: order))
            #expect(again.metadata == checkpoint.metadata)
            #expect(again.embeddingDimension == checkpoint.embeddingDimension)
            #expect(again.report == checkpoint.report)
        }
    }

    /// `written.*` were read by PyTorch and safetensors (`generate.py --check`).
    @Test func `are written byte for byte as the ones that PyTorch has read`() throws {
        let checkpoint = Checkpoint(
            tensors: [
                ("a.weight", tensor([2, 3], (0..<6).map { Float($0) / 8 })),
                ("a.bias", tensor([2], [-0.0, Float(bitPattern: 1)])),
            ],
            embeddingDimension: 3, settings: #"{"epochs":1}"#, corpusDigest: "00",
            report: #"{"loss":0.5,"note":"歡迎"}"#)
        for (format, name) in [
            (Checkpoint.Format.pt, "written.pt"), (.safetensors, "written.safetensors"),
        ] {
            let bytes = checkpoint.encoded(as: format)
            // To renew the fixtures after a change of format: write them here, then check them.
            if let folder = ProcessInfo.processInfo.environment["WRITE_FIXTURES"] {
                try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            #expect(bytes == (try fixture(name)), "\(name)")
        }
    }

    @Test func `keep each tensor at a multiple of 64 bytes`() throws {
        let read = try Checkpoint(reading: fixturePath("embedding_denoiser.pt"))
        let archive = try ZipArchive(read.encoded(as: .pt), file: "model.pt")
        #expect(archive.entries.count == 11)
        for (name, range) in archive.entries {
            #expect(range.lowerBound % 64 == 0, "\(name) at \(range.lowerBound)")
        }
    }

    @Test(arguments: [
        ("double.pt", "tensor encoder.0.weight is of type float64, needs float32"),
        ("parameter.pt", "torch._utils._rebuild_parameter is not a name that a model needs"),
        ("module.pt", "torch.nn.modules.linear.Linear is not a name that a model needs"),
        ("system.pt", "posix.system is not a name that a model needs"),
        ("system4.pt", "posix.system is not a name that a model needs"),
        ("compressed.pt", "entry archive/data.pkl is compressed"),
        ("legacy.pt", "PyTorch's format from before 1.6"),
        ("plain.pkl", "neither a PyTorch nor a safetensors file"),
        ("negative.pt", "a tensor of unknown form"),
        ("generate.py", "neither a PyTorch nor a safetensors file"),
    ])
    func `of other kinds are refused in one line that says why`(
        name: String, reason: String
    ) throws {
        let line = try #require(refusal(of: try fixture(name)))
        #expect(line.contains(reason), "\(line)")
        #expect(!FileManager.default.fileExists(atPath: "executed.txt"))
    }

    @Test func `that are missing, folders or pipes are refused`() throws {
        try withFolder { folder in
            #expect(throws: ModelFileError.missing(file: "\(folder)/none.pt")) {
                try Checkpoint(reading: "\(folder)/none.pt")
            }
            #expect(throws: ModelFileError.damaged(file: folder, reason: "not a regular file")) {
                try Checkpoint(reading: folder)
            }
            let pipe = "\(folder)/pipe.pt"
            #expect(unsafe mkfifo(pipe, 0o600) == 0)
            #expect(throws: ModelFileError.damaged(file: pipe, reason: "not a regular file")) {
                try Checkpoint(reading: pipe)
            }
        }
    }

    @Test func `give a tensor only in the shape that is asked for`() throws {
        let checkpoint = try Checkpoint(reading: fixturePath("small.pt"))
        #expect(try checkpoint.tensor("encoder.0.weight", shape: [4, 6], file: "f").count == 24)
        #expect(throws: ModelFileError.self) {
            try checkpoint.tensor("encoder.0.weight", shape: [6, 4], file: "f")
        }
        #expect(throws: ModelFileError.self) {
            try checkpoint.tensor("encoder.9.weight", shape: [6, 4], file: "f")
        }
    }
}
