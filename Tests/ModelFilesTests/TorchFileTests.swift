import Tensors
import Foundation
import System
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `PyTorch files` {
    @Test(arguments: [
        "embedding_denoiser.pt", "small.pt", "protocol4.pt", "oldest.pt", "zip64.pt", "bare.pt",
        "strided.pt", "extras.pt", "half.pt", "double.pt", "types.pt", "types_big.pt",
        "types_legacy.pt", "views.pt", "views_legacy.pt", "parameter.pt", "parameter5.pt",
        "forms.pt", "pairs.pt", "sides.pt", "sides_plain.pt", "sides_plain5.pt",
        "sides_legacy3.pt", "negative.pt", "legacy.pt", "legacy4.pt", "legacy_views.pt",
        "compressed.pt", "compressed_fixed.pt", "compressed_blocks.pt", "compressed_zip64.pt",
        "compressed_long.pt",
    ])
    func `hold what PyTorch says they hold`(name: String) throws {
        let expected = try Expectation.of(name)
        let checkpoint = try Checkpoint(reading: fixtures.path(name))
        #expect(described(checkpoint.tensors) == expected.tensors)
        #expect(checkpoint.embeddingDimension == expected.embedding_dim)
        #expect(checkpoint.metadata.isEmpty)
        #expect(checkpoint.version.number == 0)
    }

    @Test(arguments: ["embedding_denoiser.pt", "strided.pt"])
    func `come back bit for bit from both formats`(name: String) throws {
        let read = try Checkpoint(reading: fixtures.path(name))
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
            #expect(bytes == (try fixtures.bytes(name)), "\(name)")
        }
    }

    @Test func `keep each tensor at a multiple of 64 bytes`() throws {
        let read = try Checkpoint(reading: fixtures.path("embedding_denoiser.pt"))
        let archive = try ZipArchive(read.encoded(as: .pt), file: "model.pt")
        #expect(archive.entries.count == 11)
        for (name, range) in archive.entries {
            #expect(range.lowerBound % 64 == 0, "\(name) at \(range.lowerBound)")
        }
    }

    @Test(arguments: [
        (
            "module.pt",
            "torch.nn.modules.linear.Linear is not a name that a model needs; "
                + "save the model's state_dict(), not the model"
        ),
        ("script.pt", "a TorchScript archive of torch.jit.save; give the model's state_dict()"),
        ("sparse.pt", "a is a sparse tensor"),
        ("quantised.pt", "a is a quantised tensor"),
        ("meta.pt", "a is a meta tensor, which has no data"),
        ("array.pt", "a is a numpy array"),
        (
            "number.pt",
            "something other than named tensors: epoch is an int; "
                + "leave it out, or save it as a dense tensor of floats"
        ),
        ("nested.pt", "something other than named tensors: encoder is a dict"),
        (
            "other_key.pt",
            #"the tensors stand under "state_dict"; save them under "model_state_dict" instead"#
        ),
        ("list.pt", "holds no dictionary but a list; save {\"model_state_dict\": "),
        ("tensor.pt", "holds no dictionary but a tensor; save {\"model_state_dict\": "),
        ("lzma.pt", "entry archive/data.pkl is compressed in a way that PyTorch does not read"),
        (
            "system.pt",
            "posix.system is not a name that a model needs; save the model's state_dict() without"
        ),
        (
            "system4.pt",
            "posix.system is not a name that a model needs; save the model's state_dict() without"
        ),
        (
            "system_legacy.pt",
            "posix.system is not a name that a model needs; save the model's state_dict() without"
        ),
        ("plain.pkl", "neither a PyTorch nor a safetensors file but another pickle"),
        ("generate.py", "neither a PyTorch nor a safetensors file"),
    ])
    func `of other kinds are refused in one line that says why`(
        name: String, reason: String
    ) throws {
        let line = try #require(refusal(of: try fixtures.bytes(name)))
        #expect(line.contains(reason), "\(line)")
        #expect(!FileManager.default.fileExists(atPath: "executed.txt"))
    }

    @Test func `in their place are refused by what they are`() throws {
        let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\n".utf8)
        #expect(try #require(refusal(of: pointer)).contains("a pointer of Git LFS"))
        var tar = [UInt8](repeating: 0, count: 1024)
        tar.replaceSubrange(257..<262, with: "ustar".utf8)
        #expect(try #require(refusal(of: tar)).contains("a tar file"))
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
        let checkpoint = try Checkpoint(reading: fixtures.path("small.pt"))
        #expect(try checkpoint.tensor("encoder.0.weight", shape: [4, 6], file: "f").count == 24)
        #expect(throws: ModelFileError.self) {
            try checkpoint.tensor("encoder.0.weight", shape: [6, 4], file: "f")
        }
        #expect(throws: ModelFileError.self) {
            try checkpoint.tensor("encoder.9.weight", shape: [6, 4], file: "f")
        }
    }

    @Test(arguments: [
        (
            ["module.encoder.0.weight"],
            "no tensor encoder.0.weight but module.encoder.0.weight; "
                + "save the state dict without module. in its names"
        ),
        (
            ["_orig_mod.module.encoder.0.weight"],
            "no tensor encoder.0.weight but _orig_mod.module.encoder.0.weight; "
                + "save the state dict without _orig_mod.module. in its names"
        ),
        (
            ["fc.weight"],
            "no tensor encoder.0.weight; the file holds 1 others, "
                + "such as fc.weight of shape [2]"
        ),
        ([], "no tensor encoder.0.weight; the file holds no tensors"),
    ])
    func `of another network name a tensor that is there and the one expected`(
        names: [String], reason: String
    ) throws {
        let checkpoint = Checkpoint(tensors: names.map { ($0, tensor([2], [1, 2])) })
        #expect(throws: ModelFileError.damaged(file: "f", reason: reason)) {
            try checkpoint.tensor("encoder.0.weight", shape: [2], file: "f")
        }
    }

    @Test func `with a tensor of no layer are refused by its name`() throws {
        let checkpoint = Checkpoint(tensors: [("a", tensor([1], [1])), ("b", tensor([1], [1]))])
        try checkpoint.refuseTensors(otherThan: ["a", "b", "c"], file: "f")
        let reason =
            "tensor b belongs to no layer of this network; save the state dict without it"
        #expect(throws: ModelFileError.damaged(file: "f", reason: reason)) {
            try checkpoint.refuseTensors(otherThan: ["a"], file: "f")
        }
    }
}
