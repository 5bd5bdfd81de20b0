import Foundation
import Tensors
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `Safetensors files` {
    @Test func `hold what the safetensors library says they hold`() throws {
        let expected = try Expectation.of("small.safetensors")
        let checkpoint = try Checkpoint(reading: fixtures.path("small.safetensors"))
        #expect(described(checkpoint.tensors).sorted { $0.name < $1.name } == expected.tensors)
        #expect(checkpoint.metadata == ["format": "pt", "note": "Größe\n歡迎"])

        let mapped = try SafetensorsFile(mapping: fixtures.path("small.safetensors"))
        #expect(mapped.metadata == checkpoint.metadata)
        #expect(Set(mapped.names) == Set(expected.tensors.map(\.name)))
        for entry in expected.tensors {
            #expect(mapped.shape(of: entry.name) == entry.shape)
            let tensor = try mapped.tensor(entry.name, shape: entry.shape)
            #expect(digest(tensor) == entry.sha256)
        }
    }

    @Test func `are viewed where they are mapped, and outlive the file's name`() throws {
        try withFolder { folder in
            let path = "\(folder)/model.safetensors"
            try Data(try fixtures.bytes("small.safetensors")).write(to: URL(fileURLWithPath: path))
            let name = "encoder.0.weight"
            let read = { () throws in
                try SafetensorsFile(mapping: path).tensor(name, shape: [4, 6])
            }
            let (one, two) = (try read(), try SafetensorsFile(mapping: path))
            let again = (try two.tensor(name, shape: [4, 6]), try two.tensor(name, shape: [4, 6]))
            #expect(address(again.0) == address(again.1), "a view is no copy")
            #expect(address(one) != address(again.0), "two mappings, two places")
            try FileManager.default.removeItem(atPath: path)
            #expect(digest(one) == digest(again.0))
        }
    }

    @Test func `that lie unaligned are copied`() throws {
        let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        for spaces in 0..<4 {
            let bytes = safetensors(
                header + String(repeating: " ", count: spaces), data: [0, 0, 128, 63, 0, 0, 0, 64])
            try withFolder { folder in
                let path = "\(folder)/model.safetensors"
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let tensor = try SafetensorsFile(mapping: path).tensor("a", shape: [2])
                #expect([tensor.span[0], tensor.span[1]] == [1, 2])
            }
        }
    }

    @Test func `name the file and the tensor that is missing or of another shape or type`() throws {
        try withFolder { folder in
            let path = "\(folder)/model.safetensors"
            let header = #"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#
            try Data(safetensors(header, data: [UInt8](repeating: 0, count: 8)))
                .write(to: URL(fileURLWithPath: path))
            let file = try SafetensorsFile(mapping: path)
            for (name, reason) in [
                ("a", "tensor a is of type I64, needs F32"), ("b", "no tensor b"),
            ] {
                #expect(throws: ModelFileError.damaged(file: path, reason: reason)) {
                    try file.tensor(name, shape: [1])
                }
            }
        }
        let path = fixtures.path("small.safetensors")
        let reason = "tensor encoder.0.bias has shape [4], needs [4, 1]"
        #expect(throws: ModelFileError.damaged(file: path, reason: reason)) {
            try SafetensorsFile(mapping: path).tensor("encoder.0.bias", shape: [4, 1])
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["ENCODER_PATH"] != nil))
    func `of the encoder give the tensors that the encoder needs`() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["ENCODER_PATH"])
        let file = try SafetensorsFile(mapping: "\(folder)/model.safetensors")
        let words = try file.tensor("embeddings.word_embeddings.weight", shape: [30522, 384])
        #expect(words.count == 30522 * 384)
        #expect(file.names.count == 104)
    }

    @Test(arguments: [
        ("a huge header", #"{}"#, 0, "header of"),
        ("no object", "[]      ", 0, "neither"),
        ("no JSON", "{\"a\":    ", 0, "header is not JSON"),
        (
            "an offset beyond the file", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            4, "tensor a has a wrong type, shape or offset"
        ),
        (
            "overlapping tensors",
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            12, "tensor b overlaps another or leaves a hole"
        ),
        (
            "a hole", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8,
            "overlaps another or leaves a hole"
        ),
        (
            "bytes of no tensor", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 8,
            "4 bytes belong to no tensor"
        ),
        (
            "a negative extent", #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "negative offsets", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "a fraction", #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "backward offsets", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "an overflowing shape",
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
            "wrong type, shape or offset"
        ),
        (
            "an overflowing shape behind a zero",
            #"{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}"#, 0,
            "wrong type, shape or offset"
        ),
        (
            "a number beyond 64 bits",
            #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}}"#, 0,
            "Unsupported value"
        ),
        (
            "a type that lies about its width",
            #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,4]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "an unknown type", #"{"a":{"dtype":"X32","shape":[1],"data_offsets":[0,4]}}"#, 4,
            "wrong type, shape or offset"
        ),
        (
            "a type of other numbers", #"{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}}"#,
            4,
            "tensor a is of type I16, needs F32"
        ),
        (
            "a repeated name",
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            4, "header repeats a key"
        ),
        (
            "a repeated member",
            #"{"a":{"dtype":"F16","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4,
            "header repeats a key"
        ),
        ("metadata that are no strings", #"{"__metadata__":{"a":1}}"#, 0, "__metadata__"),
        ("a string for a tensor", #"{"a":"b"}"#, 0, "wrong type, shape or offset"),
        (
            "a name over two lines", #"{"a\nb":"c"}"#, 0,
            #"tensor a\u{a}b has a wrong type, shape or offset"#
        ),
    ])
    func `are refused for`(what: String, header: String, data: Int, reason: String) throws {
        var bytes = safetensors(header, data: [UInt8](repeating: 0, count: data))
        if what == "a huge header" { bytes[4] = 1 }
        let line = try #require(refusal(of: bytes, file: "model.safetensors"), "\(what)")
        #expect(line.contains(reason), "\(line)")
    }

    @Test func `are refused for a header that is not UTF-8 or nested beyond reason`() throws {
        var bytes = safetensors(#"{"a":"?"}       "#, data: [])
        bytes[14] = 0xFF
        #expect(try #require(refusal(of: bytes)).contains("header is not UTF-8"))
        let deep = String(repeating: #"{"a":"#, count: 100_000)
        #expect(try #require(refusal(of: safetensors(deep, data: []))).contains("not JSON"))
    }
}

/// A safetensors file around a header of any kind.
private func safetensors(_ header: String, data: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(header.utf8.count))
    return bytes + Array(header.utf8) + data
}

/// Where the values of a tensor lie.
private func address(_ tensor: Tensor) -> UInt {
    unsafe tensor.span.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
}
