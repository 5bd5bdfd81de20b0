import Tensors
import Testing

@testable import Denoisers

@Suite struct `Sizes of an autoencoder` {
    @Test func `the original has 115,392 parameters`() {
        // PyTorch: sum(p.numel() for p in model.parameters()).
        #expect(AutoencoderArchitecture.original.parameterCount == 115_392)
    }

    @Test func `a network of other sizes trains, denoises and keeps its names`() throws {
        let small = AutoencoderArchitecture(width: 256, hidden: 64, code: 64)
        let rows = (0..<40 * 256).map { Float($0 % 97) / 97 - 0.5 }
        var options = TrainingOptions()
        options.epochs = 3
        var trainer = AutoencoderTrainer(
            embeddings: rows, lines: Array(0..<40), options: options, architecture: small)
        let (parameters, report) = try trainer.run()
        #expect(report.epochLosses.count == 3)
        #expect(report.epochLosses[2] < report.epochLosses[0])
        let shapes = parameters.named.map { "\($0.name) \($0.tensor.shape)" }
        #expect(shapes.first == "encoder.0.weight [64, 256]")
        #expect(shapes.last == "decoder.2.bias [256]")
        let denoiser = AutoencoderDenoiser(parameters)
        #expect(denoiser.width == 256)
        #expect(denoiser.denoise(rows, DenoisingOptions(), team: nil).values.count == rows.count)
    }

    @Test func `a row of a batch takes 4,544 floats of a trainer's buffers`() {
        // Counted by hand from the shapes, for whole vectors of 32 rows.
        let difference = TrainingBuffers.bytes(batch: 96) - TrainingBuffers.bytes(batch: 64)
        #expect(difference == 32 * 4544 * 4)
    }

    @Test(arguments: [TrainingOptions.Noise.fresh, .fixed])
    func `a trainer's memory grows with its lines, and with noise that is kept`(
        noise: TrainingOptions.Noise
    ) {
        var options = TrainingOptions()
        options.noise = noise
        let line =
            AutoencoderTrainer.memory(lines: 1001, options)
            - AutoencoderTrainer.memory(lines: 1000, options)
        #expect(line == 44 + 384 * 4 * (noise == .fixed ? 3 : 1))
        options.batchSize = 1_000_000
        #expect(
            AutoencoderTrainer.memory(lines: 64, options)
                > AutoencoderTrainer.memory(
                    lines: 32, options))
    }
}
