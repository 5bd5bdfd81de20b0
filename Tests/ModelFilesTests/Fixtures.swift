import Foundation
import Tensors
import ModelFiles
import System
import Testing
import TestSupport

/// What PyTorch wrote and what it reads there.
let fixtures = Fixtures(in: .module)

/// What PyTorch says is in a file of `Fixtures`.
struct Expectation: Decodable {
    struct Entry: Decodable, Equatable {
        let name: String
        let shape: [Int]
        let sha256: String
    }

    let tensors: [Entry]
    let embedding_dim: Int?

    static func of(_ name: String) throws -> Expectation {
        let all = try JSONDecoder().decode(
            [String: Expectation].self, from: Data(try fixtures.bytes("expected.json")))
        return try #require(all[name])
    }
}

/// The same description of tensors that we have read.
func described(_ tensors: [(name: String, tensor: Tensor)]) -> [Expectation.Entry] {
    tensors.map { .init(name: $0.name, shape: $0.tensor.shape, sha256: digest($0.tensor)) }
}

/// SHA-256 over the bytes of a tensor.
func digest(_ tensor: Tensor) -> String {
    var bytes: [UInt8] = []
    for i in 0..<tensor.count {
        let bits = tensor.span[i].bitPattern
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
    }
    return SHA256.hex(of: bytes)
}

/// A tensor of these values.
func tensor(_ shape: [Int], _ values: [Float]) -> Tensor {
    Tensor(shape: shape, copying: values.span)
}

/// The error of reading `bytes`, checked to be one line that starts with the file's name; nil if
/// they are read.
func refusal(of bytes: [UInt8], file: String = "model.pt") -> String? {
    do throws(ModelFileError) {
        _ = try Checkpoint(decoding: bytes, file: file)
        return nil
    } catch {
        let line = error.description
        #expect(line.hasPrefix(file + ": "), "\(line)")
        #expect(!line.unicodeScalars.contains { $0.properties.generalCategory == .control })
        #expect(line.utf8.count < 400, "\(line)")
        return line
    }
}
