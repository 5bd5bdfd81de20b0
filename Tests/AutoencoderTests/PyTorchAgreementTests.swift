import Foundation
import Kernels
import ModelFiles
import Testing

@testable import Autoencoder

/// A 60-step training run recorded from PyTorch: 100 rows, batches of 32, 32, 32 and 4 (padded with -1).
///
/// Its row indices are stored as floats.
struct Recording {
    let file: SafetensorsFile

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/training", withExtension: "safetensors"))
        file = try SafetensorsFile(mapping: url.path)
    }

    func values(_ name: String) throws -> [Float] {
        let shape = try #require(file.shape(of: name))
        let tensor = try file.tensor(name, shape: shape)
        return tensor.span.indices.map { tensor.span[$0] }
    }

    /// Parameters, or gradients laid out like them, under a prefix.
    func parameters(_ prefix: String) throws -> AutoencoderParameters {
        try AutoencoderParameters { name, shape throws(ModelFileError) in
            try file.tensor("\(prefix)/\(name)", shape: shape)
        }
    }

    func flat(_ prefix: String) throws -> [Float] {
        let flat = try parameters(prefix).flat
        return flat.span.indices.map { flat.span[$0] }
    }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    #expect(a.count == b.count)
    return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

@Suite struct `Agreement with PyTorch` {
    let tolerance: Float = 2e-6

    @Test func `the first gradient, 60 losses, and the parameters on the way`() throws {
        let recording = try Recording()
        let noisy = try recording.values("noisy")
        let clean = try recording.values("clean")
        let losses = try recording.values("losses")
        let batches = try recording.values("batches").map { Int($0) }
        var flat = try recording.flat("initial")
        var parameters = Matrix(rows: 1, columns: flat.count)
        parameters.fill(flat)
        var workspace = TrainingWorkspace(rows: 32)
        var adam = Adam(count: flat.count)
        var worstLoss = 0.0
        for step in 0..<60 {
            let rows = batches[step * 32..<(step + 1) * 32].filter { $0 >= 0 }
            var x = Matrix(rows: rows.count, columns: 384)
            var y = Matrix(rows: rows.count, columns: 384)
            x.fill(rows.flatMap { noisy[$0 * 384..<($0 + 1) * 384] })
            y.fill(rows.flatMap { clean[$0 * 384..<($0 + 1) * 384] })
            let loss = workspace.pass(x, target: y, parameters: parameters)
            worstLoss = max(worstLoss, abs(loss - Double(losses[step])))
            if step == 0 {
                let difference = largestDifference(
                    workspace.gradient.values, try recording.flat("gradient_step0"))
                print("first gradient: largest difference \(difference)")
                #expect(difference <= tolerance)
            }
            var span = parameters.mutableSpan
            adam.step(&span, gradient: workspace.gradient.span)
            flat = parameters.values
            if [1, 10, 60].contains(step + 1) {
                let difference = largestDifference(
                    flat, try recording.flat("after_\(step + 1)"))
                print("parameters after \(step + 1) steps: largest difference \(difference)")
                #expect(difference <= tolerance)
            }
        }
        print("losses of 60 steps: largest difference \(worstLoss)")
        #expect(worstLoss <= Double(tolerance))
    }

    @Test func `the trained model's output and final loss`() throws {
        let recording = try Recording()
        let trained = try recording.parameters("after_60")
        let denoised = trained.denoise(try recording.values("noisy"))
        let difference = largestDifference(denoised, try recording.values("denoised"))
        print("denoised: largest difference \(difference)")
        #expect(difference <= 1e-6)
        let loss = meanSquaredError(denoised.span, target: try recording.values("clean").span)
        #expect(abs(loss - Double(try recording.values("final_loss")[0])) <= 1e-7)
    }
}

extension Matrix {
    mutating func fill(_ values: [Float]) {
        var span = mutableSpan
        for i in values.indices { span[i] = values[i] }
    }

    var values: [Float] { span.indices.map { span[$0] } }
}
