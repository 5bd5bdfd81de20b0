internal import Kernels
internal import Synchronization
internal import Tensors
internal import System

/// Training steps with fresh noise on batches of clean rows.
struct AdaptiveRun: Sendable {
    let buffers: AdaptiveBuffers
    /// Clean rows on the axes, [rows, width].
    let rows: SharedMatrix
    let schedule: OneCycle
    /// Noise levels are drawn evenly from 0 to this.
    let mostNoise: Float
    /// What levels and noise follow from.
    let seed: UInt64

    /// The loss divides a row's squared error by its level and this.
    static let floor: Float = 0.03

    /// Runs one step for each batch of `batches`, with a team if there is one.
    ///
    /// - Parameters:
    ///   - first: the number of the first step, from 0.
    ///   - batches: rows of each step, by their numbers.
    /// - Returns: the sum of the batches' losses.
    func run(_ first: Int, _ batches: [[Int32]], _ team: WorkerPair?) -> Double {
        let sums = LossSums()
        let together =
            team?.run(inBackground: true) { worker in run(first, batches, &worker, sums) } ?? false
        if !together {
            var alone = Worker.alone
            run(first, batches, &alone, sums)
        }
        return sums.total
    }

    private func run(
        _ first: Int, _ batches: [[Int32]], _ worker: inout Worker, _ sums: LossSums
    ) {
        for (index, batch) in batches.enumerated() {
            let number = first + index
            let (rate, beta1) = schedule.settings(number)
            let step = AdaptiveStep(
                buffers: buffers, rows: batch.count,
                adam: Adam(rate: rate, beta1: beta1).step(number + 1))
            step.run(&worker) { half in
                lay(batch, half, number)
            } addLoss: { half, loss in
                sums.add(loss, half)
            }
        }
    }

    /// Lays a half of a batch down: clean rows, the same with noise, and what each counts.
    private func lay(_ batch: [Int32], _ half: Int, _ number: Int) {
        let width = buffers.shape.width
        let places = buffers.halves[half]
        var target = unsafe buffers.block.mutableSpan(from: places.target)
        var noisy = unsafe buffers.block.mutableSpan(from: places.noisy)
        var weights = unsafe buffers.block.mutableSpan(from: places.weights)
        for (place, row) in buffers.rows(half, of: batch.count).enumerated() {
            let clean = rows.span(from: Int(batch[row]) * width).extracting(first: width)
            let elements = place * width..<(place + 1) * width
            var targetRow = target._mutatingExtracting(elements)
            copy(clean, into: &targetRow)
            var random = SeededRandom(seed: seed &+ UInt64(number * buffers.batch + row))
            let level = mostNoise * Float(random.next() >> 40) * 0x1p-24
            var noise = GaussianNoise(seed: random.next())
            var noisyRow = noisy._mutatingExtracting(elements)
            noise.add(to: clean, deviation: level, into: &noisyRow)
            weights[place] = 1 / (Float(batch.count) * (level + Self.floor))
        }
    }
}

/// The losses of both halves.
private final class LossSums: Sendable {
    private let values = Mutex<(Double, Double)>((0, 0))

    func add(_ loss: Double, _ half: Int) {
        values.withLock { if half == 0 { $0.0 += loss } else { $0.1 += loss } }
    }

    var total: Double { values.withLock { $0.0 + $0.1 } }
}
