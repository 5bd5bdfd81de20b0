import Foundation
import Kernels
import Tensors
import ModelFiles
import Testing
import System
import TestSupport

@testable import Denoisers

/// A 60-step training run recorded from PyTorch: 100 rows, batches of 32, 32, 32 and 4 (padded with
/// -1).
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
        return floats(try file.tensor(name, shape: shape))
    }

    /// Parameters, or gradients laid out like them, under a prefix.
    func parameters(_ prefix: String) throws -> AutoencoderParameters {
        var flat: [Float] = []
        for layer in ["encoder.0", "encoder.2", "decoder.0", "decoder.2"] {
            flat += try values("\(prefix)/\(layer).weight")
            flat += try values("\(prefix)/\(layer).bias")
        }
        return AutoencoderParameters(flat: Tensor(shape: [flat.count], copying: flat.span))
    }

    func flat(_ prefix: String) throws -> [Float] {
        floats(try parameters(prefix).flat)
    }
}

func floats(_ tensor: Tensor) -> [Float] {
    var values: [Float] = []
    for i in 0..<tensor.count { values.append(tensor.span[i]) }
    return values
}

@Suite struct `Agreement with PyTorch` {
    let tolerance: Float = 2e-6

    @Test func `the first gradient, 60 losses, and the parameters on the way`() throws {
        let recording = try Recording()
        let noisy = try recording.values("noisy")
        let clean = try recording.values("clean")
        let batches = try recording.values("batches").map { Int($0) }
        let steps = (0..<60).map { step in
            let rows = batches[step * 32..<(step + 1) * 32].filter { $0 >= 0 }
            return (
                noisy: rows.flatMap { noisy[$0 * 384..<($0 + 1) * 384] },
                clean: rows.flatMap { clean[$0 * 384..<($0 + 1) * 384] }
            )
        }
        let ours = repeatRun(from: try recording.flat("initial"), steps)
        try check("first gradient", ours.gradient, recording.flat("gradient_step0"))
        try check("losses of 60 steps", ours.losses, recording.values("losses"))
        for step in [1, 10, 60] {
            try check(
                "parameters after \(step) steps", ours.parameters[step - 1],
                recording.flat("after_\(step)"))
        }
    }

    private func check(_ name: String, _ ours: [Float], _ theirs: [Float]) {
        let difference = largestDifference(ours, theirs)
        print("\(name): largest difference \(difference)")
        #expect(difference <= tolerance)
    }

    @Test func `the trained model's output and final loss`() throws {
        let recording = try Recording()
        let trained = try recording.parameters("after_60")
        let denoised = trained.denoise(try recording.values("noisy"))
        let difference = largestDifference(denoised, try recording.values("denoised"))
        print("denoised: largest difference \(difference)")
        #expect(difference <= 1e-6)
        let clean = try recording.values("clean")
        let expected = Double(try recording.values("final_loss")[0])
        // The compiler (6.3.1) crashes on a span of a temporary that `try` made.
        let loss = meanSquaredError(denoised.span, target: clean.span)
        #expect(abs(loss - expected) <= 1e-7)
    }
}

/// Makes the steps of a recorded run: the first gradient, each loss, the parameters after each
/// step.
func repeatRun(
    from initial: [Float], _ steps: [(noisy: [Float], clean: [Float])]
) -> (gradient: [Float], losses: [Float], parameters: [[Float]]) {
    let run = RecordedRun(from: initial)
    var gradient: [Float] = []
    var losses: [Float] = []
    var parameters: [[Float]] = []
    for step in steps {
        losses.append(Float(run.step(noisy: step.noisy, clean: step.clean)))
        if gradient.isEmpty { gradient = run.gradient }
        parameters.append(run.parameters)
    }
    return (gradient, losses, parameters)
}

/// The steps of a recorded run, one by one, of both threads' work on one.
final class RecordedRun {
    private let buffers: TrainingBuffers
    private let adam = Adam()
    private var steps = 0

    init(from values: [Float], batch: Int = 32) {
        buffers = TrainingBuffers(batch: batch, initial: values.span)
    }

    /// The loss before the step.
    func step(noisy: [Float], clean: [Float]) -> Double {
        let rows = noisy.count / 384
        for half in 0..<2 {
            write(noisy, half, at: buffers.layout.input(half))
            write(clean, half, at: buffers.layout.target(half))
            buffers.layInLanes(half, rows: rows)
            TrainingStep.begin(buffers, half: half)
        }
        steps += 1
        let step = TrainingStep(
            buffers: buffers, rows: rows, adam: adam.step(steps))
        var alone = Worker.alone
        var loss = 0.0
        step.run(&alone) { _, part in
            loss += part
        } afterwards: { _ in
        }
        return loss
    }

    var parameters: [Float] { values(at: 0) }

    /// The gradient of the first step: the first moment is then a tenth of it.
    var gradient: [Float] { values(at: buffers.layout.firstMoment).map { $0 / Float(1 - 0.9) } }

    private func values(at place: Int) -> [Float] {
        let block = buffers.block
        return buffers.inOrder(block.span(from: place))
    }

    /// Writes a half's elements of `values` [rows, 384].
    private func write(_ values: [Float], _ half: Int, at place: Int) {
        let block = buffers.block
        var span = unsafe block.mutableSpan(from: place)
        for i in 0..<values.count / 2 {
            span[i] = values[i / 192 * 384 + half * 192 + i % 192]
        }
    }
}
