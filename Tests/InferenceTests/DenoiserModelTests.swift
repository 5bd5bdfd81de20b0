import Foundation
import Kernels
import ModelFiles
import Testing

@testable import Inference

@Suite struct `Denoiser model` {
    private let fixtures = URL(filePath: #filePath)
        .appending(path: "../../ModelFilesTests/Fixtures").standardized

    @Test func `the original's model file gives the original's output`() throws {
        let model = try DenoiserModel(
            reading: fixtures.appending(path: "embedding_denoiser.pt").path)
        let expected = try SafetensorsFile(
            mapping: fixtures.appending(path: "expected.safetensors").path)
        let input = floats(try expected.tensor("input", shape: [100, 384]))
        let output = floats(try expected.tensor("output", shape: [100, 384]))
        let ours = model.denoise(input, noiseLevel: 0)
        let difference = zip(ours, output).reduce(0) { max($0, abs($1.0 - $1.1)) }
        print("output of the original's model: largest difference \(difference)")
        #expect(ours.count == output.count && difference <= 1e-6)
    }

    @Test func `a file that is no model is refused in one line`() throws {
        let path = fixtures.appending(path: "generate.py").path
        #expect(throws: ModelFault.self) { try DenoiserModel(reading: path) }
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
