import Kernels
import Tensors
import TestSupport
import Testing
import System

@testable import Denoisers

/// Steps on given rows and noise, of both threads' work on one.
private final class RecordedSteps {
    private let buffers: AdaptiveBuffers

    init(_ constants: AdaptiveConstants, _ shape: AdaptiveShape, batch: Int, initial: Tensor) {
        buffers = AdaptiveBuffers(
            batch: batch, constants: constants, shape: shape, initial: initial.span)
    }

    /// The loss before the step, on `noisy` and `clean` [rows, width] and the noise level of each
    /// row.
    func step(noisy: [Float], clean: [Float], levels: [Float], adam: AdamStep) -> Double {
        let (rows, width) = (levels.count, buffers.shape.width)
        let (y, target) = (
            onAxesKeepingLengths(noisy), buffers.constants.onAxes(clean.span)
        )
        var share = Worker.alone
        var loss = 0.0
        AdaptiveStep(buffers: buffers, rows: rows, adam: adam).run(&share) { half in
            let (places, block) = (buffers.halves[half], buffers.block)
            var noisySpan = unsafe block.mutableSpan(from: places.noisy)
            var targetSpan = unsafe block.mutableSpan(from: places.target)
            var weights = unsafe block.mutableSpan(from: places.weights)
            for (place, row) in buffers.rows(half, of: rows).enumerated() {
                for i in 0..<width {
                    noisySpan[place * width + i] = y[row * width + i]
                    targetSpan[place * width + i] = target[row * width + i]
                }
                weights[place] = 1 / (Float(rows) * (levels[row] + AdaptiveRun.floor))
            }
        } addLoss: { _, part in
            loss += part
        }
        return loss
    }

    /// `rows` less the mean, along the axes, as long as at home with the mean: axes that are not
    /// quite orthonormal would tell other noise levels.
    private func onAxesKeepingLengths(_ rows: [Float]) -> [Float] {
        let width = buffers.shape.width
        let mean = floats(buffers.meanOnAxes)
        var result = buffers.constants.onAxes(rows.span)
        for start in stride(from: 0, to: rows.count, by: width) {
            func length(_ value: (Int) -> Float) -> Double {
                (0..<width).reduce(0) { $0 + Double(value($1)) * Double(value($1)) }.squareRoot()
            }
            let factor = Float(
                length { rows[start + $0] } / length { result[start + $0] + mean[$0] })
            for i in 0..<width {
                result[start + i] = factor * (result[start + i] + mean[i]) - mean[i]
            }
        }
        return result
    }

    var parameters: [Float] { floats(buffers.parameters) }

    /// The gradient of the last step.
    var gradient: [Float] {
        let block = buffers.block
        return values(
            block.span.extracting(
                buffers.halves[0].gradient..<buffers.halves[0].gradient
                    + buffers.shape.parameterCount))
    }
}

/// The trained layers' numbers by their names.
private func layers(_ flat: [Float], _ shape: AdaptiveShape) -> [String: [Float]] {
    let layers = TrainedLayers(flat.span, shape)
    return [
        "Wi": floats(layers.inputWeight), "bi": floats(layers.inputBias),
        "Ws": floats(layers.levelWeight), "Wo": floats(layers.outputWeight),
        "bo": floats(layers.outputBias),
    ]
}

private func initial(
    _ file: FixtureTensors, _ prefix: String, _ shape: AdaptiveShape
) throws -> Tensor {
    func tensor(_ name: String) throws -> Tensor { try #require(file.tensor(prefix + name)) }
    return TrainedLayers(
        inputWeight: try tensor("Wi"), inputBias: try tensor("bi"), levelWeight: try tensor("Ws"),
        outputWeight: try tensor("Wo"), outputBias: try tensor("bo")
    ).flat(shape)
}

@Suite struct `Training agrees with PyTorch` {
    @Test func `gradients, loss and the weights after one step`() throws {
        let file = try FixtureTensors("adaptive-gradient")
        let shape = AdaptiveShape(width: 384, hidden: 8)
        let constants = try FixtureTensors.model.get().constants
        let run = RecordedSteps(
            constants, shape, batch: 4, initial: try initial(file, "in_", shape))
        let loss = run.step(
            noisy: try file.values("x"),
            clean: clean(forAxes: constants, try file.values("c"), answers: try file.values("y")),
            levels: try file.values("s"), adam: Adam(rate: 2e-3).step(1))
        print("loss \(loss)")
        #expect(abs(loss - Double(try file.values("loss")[0])) < 1e-4 * 4.17)
        let (gradient, after) = (layers(run.gradient, shape), layers(run.parameters, shape))
        for name in ["Wi", "bi", "Ws", "Wo", "bo"] {
            let theirs = try file.values("grad_\(name)")
            let size = theirs.reduce(0) { max($0, abs($1)) }
            let difference = largestDifference(try #require(gradient[name]), theirs) / size
            let moved = largestDifference(
                try #require(after[name]), try file.values("after_\(name)"))
            print("\(name): gradient within \(difference) of its size, weights within \(moved)")
            #expect(difference < 1e-4)
            #expect(moved < 1e-5)
        }
    }

    /// Clean rows for which the error along the axes is what the gradient needs.
    ///
    /// The fixture's axes U are rounded to half precision, so they are orthonormal only within
    /// 3e-4, and training takes them as orthonormal. The gradient by the answer o along them is (o
    /// Uᵀ + mu − c) U, where training has o − (c − mu) U. With c + (f − mu)(1 − U Uᵀ) for c both
    /// are the same within 1e-7, f = o Uᵀ + mu.
    private func clean(
        forAxes constants: AdaptiveConstants, _ clean: [Float], answers: [Float]
    ) -> [Float] {
        let onAxes = constants.onAxes(answers.span)
        var back = answers
        var span = back.mutableSpan
        multiply(
            MatrixView(onAxes.span, rows: clean.count / 384, columns: 384),
            constants.axes.view.transposed,
            into: MutableMatrixView(&span, rows: clean.count / 384, columns: 384))
        let mean = floats(constants.mean)
        return clean.indices.map { clean[$0] + answers[$0] - mean[$0 % 384] - back[$0] }
    }

    @Test func `60 steps`() throws {
        let file = try FixtureTensors("adaptive-training")
        let shape = AdaptiveShape(width: 64, hidden: 8)
        func tensor(_ name: String) throws -> Tensor { try #require(file.tensor(name)) }
        let run = RecordedSteps(
            AdaptiveConstants(
                mean: try tensor("mu"), axes: try tensor("U"), variances: try tensor("w"),
                pilots: []),
            shape, batch: 16, initial: try initial(file, "initial/", shape))
        let (clean, noise) = (try file.values("clean"), try file.values("noise"))
        let rows = try file.values("rows").map { Int($0) }
        let draws = try file.values("draws").map { Int($0) }
        let (sigmas, rates) = (try file.values("sigmas"), try file.values("rates"))
        let schedule = OneCycle(rate: 2e-3, steps: 60)
        var losses: [Float] = []
        for step in 0..<60 {
            var (target, noisy): ([Float], [Float]) = ([], [])
            for place in step * 16..<(step + 1) * 16 {
                for i in 0..<64 {
                    let e = clean[rows[place] * 64 + i]
                    target.append(e)
                    noisy.append(e + sigmas[place] * noise[draws[place] * 64 + i])
                }
            }
            let (rate, beta1) = schedule.settings(step)
            #expect(abs(Float(rate) - rates[2 * step]) < 1e-9)
            #expect(abs(Float(beta1) - rates[2 * step + 1]) < 1e-6)
            losses.append(
                Float(
                    run.step(
                        noisy: noisy, clean: target,
                        levels: Array(sigmas[step * 16..<(step + 1) * 16]),
                        adam: Adam(rate: rate, beta1: beta1).step(step + 1))))
            guard [1, 10, 60].contains(step + 1) else { continue }
            let ours = layers(run.parameters, shape)
            for (name, values) in ours.sorted(by: { $0.key < $1.key }) {
                let difference = largestDifference(
                    values, try file.values("after_\(step + 1)/\(name)"))
                print("\(name) after \(step + 1) steps: largest difference \(difference)")
                #expect(difference <= 2e-6)
            }
        }
        let difference = largestDifference(losses, try file.values("losses"))
        print("losses: largest difference \(difference) of \(losses[0])")
        #expect(difference < 1e-4)
    }
}
