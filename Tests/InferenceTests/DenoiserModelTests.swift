import Denoisers
import Foundation
import Tensors
import ModelFiles
import Testing
import TestSupport

@testable import Inference

@Suite struct `Denoiser model` {
    private let fixtures = Fixtures(of: "ModelFilesTests")

    @Test func `the original's model file gives the original's output`() throws {
        let model = try DenoiserModel(
            reading: fixtures.path("embedding_denoiser.pt"))
        let expected = try SafetensorsFile(
            mapping: fixtures.path("expected.safetensors"))
        let input = floats(try expected.tensor("input", shape: [100, 384]))
        let output = floats(try expected.tensor("output", shape: [100, 384]))
        let ours = model.denoise(input, noiseLevel: 0)
        let difference = largestDifference(ours, output)
        print("output of the original's model: largest difference \(difference)")
        #expect(difference <= 1e-6)
    }

    @Test func `a file that is no model is refused in one line`() throws {
        let path = fixtures.path("generate.py")
        #expect(throws: ModelFault.self) { try DenoiserModel(reading: path) }
    }

    /// The original's model with its tensors altered, written and read again.
    private func reason(
        _ alter: ([(name: String, tensor: Tensor)]) -> [(name: String, tensor: Tensor)]
    ) throws -> String {
        let original = try Checkpoint(
            reading: fixtures.path("embedding_denoiser.pt"))
        let altered = Checkpoint(tensors: alter(original.tensors))
        do throws(ModelFileError) {
            let read = try Checkpoint(decoding: altered.encoded(as: .pt), file: "f")
            _ = try DenoiserModel(read, file: "f")
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `a file of another network is refused with what is there and what was expected`()
        throws
    {
        #expect(try reason { $0 } == "")
        #expect(try reason { $0.reversed() } == "")
        #expect(
            try reason { $0.map { ("module.\($0.name)", $0.tensor) } }
                == "f: no tensor encoder.0.weight but module.encoder.0.weight; "
                + "save the state dict without module. in its names")
        #expect(
            try reason { $0 + [("encoder.4.weight", $0[0].tensor)] }
                == "f: tensor encoder.4.weight belongs to no layer of this network; "
                + "save the state dict without it")
        #expect(
            try reason { Array($0.dropLast()) }
                == "f: no tensor decoder.2.bias; the file holds 7 others, "
                + "such as encoder.0.weight of shape [128, 384]")
        #expect(
            try reason {
                $0.map {
                    ($0.name, $0.name == "encoder.2.bias" ? Tensor.zeros([63]) : $0.tensor)
                }
            } == "f: tensor encoder.2.bias has shape [63], needs [64]")
    }

    @Test func `a file without a kind is an autoencoder, one of an unknown kind is refused`() throws
    {
        let original = try Checkpoint(
            reading: fixtures.path("embedding_denoiser.pt"))
        #expect(original.kind == nil)
        #expect(try DenoiserModel(original, file: "f").kind == .autoencoder)
        func model(of kind: String) throws -> DenoiserModel {
            let file = Checkpoint(
                tensors: original.tensors, kind: kind, embeddingDimension: 384, settings: "{}",
                corpusDigest: "", report: "{}")
            let read = try Checkpoint(decoding: file.encoded(as: .pt), file: "f")
            #expect(read.kind == kind)
            return try DenoiserModel(read, file: "f")
        }
        #expect(try model(of: "autoencoder").kind == .autoencoder)
        #expect(throws: ModelFileError.self) { try model(of: "diffusion") }
    }

    @Test func `the built-in model is whole`() {
        #expect(DenoiserModel.builtIn?.version.hasPrefix("1-") == true)
    }

    private func floats(_ tensor: Tensor) -> [Float] {
        var values: [Float] = []
        for i in 0..<tensor.count { values.append(tensor.span[i]) }
        return values
    }
}

extension Tensor {
    fileprivate static func zeros(_ shape: [Int]) -> Tensor {
        let values = [Float](repeating: 0, count: shape.reduce(1, *))
        return Tensor(shape: shape, copying: values.span)
    }
}
