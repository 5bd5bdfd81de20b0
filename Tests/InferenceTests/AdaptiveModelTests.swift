import Denoisers
import Foundation
import ModelFiles
import Tensors
import Testing

@testable import Inference

/// Clean rows of length 1 whose pilots are 0, as the encoder makes them: mean plus something along
/// the axes.
private func cleanRows(_ count: Int, of denoiser: AdaptiveDenoiser) -> [Float] {
    let tensors = Dictionary(
        uniqueKeysWithValues: denoiser.tensors.map { ($0.name, $0.tensor) })
    var rows: [Float] = []
    guard let mean = tensors["adaptive.mu"], let axes = tensors["adaptive.U"],
        let variances = tensors["adaptive.w"]
    else { return [] }
    let draws = addingNoise(
        to: [Float](repeating: 0, count: count * 384), noiseLevel: 1, seed: 4)
    for row in 0..<count {
        var values = (0..<384).map { mean.span[$0] }
        for axis in 0..<384 where variances.span[axis] > 3e-5 {
            let part = draws[row * 384 + axis] * variances.span[axis].squareRoot()
            for i in 0..<384 { values[i] += part * axes.span[i * 384 + axis] }
        }
        for pilot in denoiser.parameters.pilots { values[pilot] = 0 }
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        rows += values.map { $0 / length }
    }
    return rows
}

@Suite struct `Adaptive model` {
    private func builtIn() throws -> (Checkpoint, AdaptiveDenoiser) {
        let checkpoint = try #require(DenoiserModel.builtInCheckpoint)
        let model = try #require(DenoiserModel.builtIn)
        return (checkpoint, try #require(model.denoiser as? AdaptiveDenoiser))
    }

    @Test func `the built-in model is adaptive and holds the original's network, too`() throws {
        let (_, denoiser) = try builtIn()
        #expect(denoiser.kind == .adaptive && denoiser.original != nil)
        #expect(denoiser.parameters.pilots == [127, 223, 319])
    }

    @Test(arguments: [Checkpoint.Format.pt, .safetensors])
    func `a file of either format gives the same version, kind and bits`(
        format: Checkpoint.Format
    ) throws {
        let (checkpoint, denoiser) = try builtIn()
        let read = try Checkpoint(decoding: checkpoint.encoded(as: format), file: "f")
        #expect(read.version == checkpoint.version && read.kind == "adaptive")
        #expect(read.tensors.map(\.name) == checkpoint.tensors.map(\.name))
        let model = try DenoiserModel(read, file: "f")
        #expect(model.kind == .adaptive)
        let noisy = addingNoise(to: cleanRows(20, of: denoiser), noiseLevel: 0.1, seed: 1)
        #expect(
            model.denoise(noisy, noiseLevel: 0)
                == denoiser.denoise(noisy, .init(), team: nil).values)
    }

    @Test
    func `the built-in model's version, which its start does not check, is that of its numbers`()
        throws
    {
        let (checkpoint, _) = try builtIn()
        #expect(checkpoint.version.digest == Checkpoint(tensors: checkpoint.tensors).version.digest)
    }

    @Test func `without its metadata a file with adaptive tensors is still adaptive`() throws {
        let (checkpoint, _) = try builtIn()
        let bare = Checkpoint(tensors: checkpoint.tensors)
        #expect(try DenoiserModel(bare, file: "f").kind == .adaptive)
    }

    @Test func `a tensor too many, too few or of another shape is refused by name`() throws {
        let (checkpoint, _) = try builtIn()
        func reason(_ change: (String) -> String?) -> String {
            let tensors = checkpoint.tensors.compactMap { name, tensor in
                change(name).map { ($0, tensor) }
            }
            do throws(ModelFileError) {
                _ = try DenoiserModel(Checkpoint(tensors: tensors), file: "f")
                return ""
            } catch { return "\(error)" }
        }
        #expect(reason { $0 } == "")
        #expect(reason { $0 == "adaptive.bo" ? nil : $0 } == "f: no tensor adaptive.bo")
        #expect(reason { $0 == "adaptive.bo" ? "adaptive.b0" : $0 }.contains("adaptive.bo"))
        #expect(
            reason { $0 == "adaptive.pilots" ? "adaptive.other" : $0 }.contains("adaptive.other"))
        #expect(reason { $0 == "decoder.2.bias" ? nil : $0 }.contains("decoder.2.bias"))
    }

    @Test func `clean rows come back bit for bit, and noise is estimated`() throws {
        let (_, denoiser) = try builtIn()
        let clean = cleanRows(200, of: denoiser)
        for scale in [Float(1), 0.001, 2, 1000] {
            let rows = clean.map { $0 * scale }
            let answer = denoiser.denoise(rows, .init(), team: nil)
            #expect(answer.values == rows)
            #expect(answer.summary == DenoisingSummary(rows: 200, movedRows: 0, noiseSum: 0))
        }
        let noisy = addingNoise(to: clean, noiseLevel: 0.1, seed: 2)
        let answer = denoiser.denoise(noisy, .init(), team: nil)
        #expect(answer.summary.movedRows == 200)
        let noise = try #require(answer.summary.meanNoise)
        #expect(abs(noise - 0.1) < 0.002, "\(noise)")
        // A stronger profile moves further, and what is given is believed.
        func way(_ options: DenoisingOptions) -> Double {
            let values = denoiser.denoise(noisy, options, team: nil).values
            return zip(values, noisy).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        }
        let ways = [DenoisingStrength.safe, .balanced, .restore].map { way(.init(strength: $0)) }
        #expect(ways[0] < ways[1] && ways[1] < ways[2] && ways[0] > 0)
        let given = denoiser.denoise(noisy, .init(noise: .given(0.05)), team: nil).summary
        #expect(abs(try #require(given.meanNoise) - 0.05) < 1e-6)
    }
}
