internal import Kernels
internal import Tensors
internal import Synchronization
internal import System
internal import Tensors

/// One pass over the rows in a given order, run by one thread or by two together.
struct TrainingEpoch: Sendable {
    let buffers: TrainingBuffers
    let rows: TrainingRows
    /// Training lines in the order of this epoch.
    let order: [Int32]
    let batchSize: Int
    let noiseLevel: Float
    /// The stream that this epoch's fresh noise comes from.
    let noise: GaussianNoise
    let adam: Adam
    /// Steps of the epochs before.
    let stepsBefore: Int

    /// Steps of this epoch.
    var steps: Int { (order.count + batchSize - 1) / batchSize }

    /// Runs some of the epoch's steps, with a team if there is one.
    ///
    /// - Returns: the sum of the batches' losses.
    func run(_ portion: Range<Int>, _ team: WorkerPair?) -> Double {
        let sums = HalfSums()
        let together =
            team?.run(inBackground: true) { worker in run(portion, &worker, sums) } ?? false
        if !together {
            var alone = Worker.alone
            run(portion, &alone, sums)
        }
        return sums[0] + sums[1]
    }

    private func run(_ portion: Range<Int>, _ worker: inout Worker, _ sums: HalfSums) {
        worker.phase(2) { half in prepare(portion.lowerBound, half) }
        for index in portion {
            let step = TrainingStep(
                buffers: buffers, rows: batch(index).count,
                adam: adam.step(stepsBefore + index + 1))
            step.run(&worker) { half, loss in
                sums[half] += loss
            } afterwards: { half in
                if index + 1 < portion.upperBound { prepare(index + 1, half) }
            }
        }
    }

    /// The places in `order` of a step's batch.
    private func batch(_ index: Int) -> Range<Int> {
        index * batchSize..<min((index + 1) * batchSize, order.count)
    }

    /// Writes half of a step's batch and begins the step.
    ///
    /// Targets are the clean embeddings, inputs the same with noise.
    private func prepare(_ index: Int, _ half: Int) {
        let batch = batch(index)
        let width = buffers.layout.architecture.width
        let count = buffers.layout.elements
        let elements = half * count..<(half + 1) * count
        var target = unsafe buffers.block.mutableSpan(from: buffers.layout.target(half))
        var input = unsafe buffers.block.mutableSpan(from: buffers.layout.input(half))
        for (row, place) in batch.enumerated() {
            if place + 1 < batch.upperBound { rows.prefetch(Int(order[place + 1]), elements) }
            rows.write(
                Int(order[place]), elements, noise.dropping(place * width),
                deviation: noiseLevel, row: row, clean: &target, noisy: &input)
        }
        buffers.layInLanes(half, rows: batch.count)
        TrainingStep.begin(buffers, half: half)
    }
}

/// What the two halves add up.
private final class HalfSums: Sendable {
    private let values = Mutex<(Double, Double)>((0, 0))

    subscript(index: Int) -> Double {
        get { values.withLock { index == 0 ? $0.0 : $0.1 } }
        set { values.withLock { if index == 0 { $0.0 = newValue } else { $0.1 = newValue } } }
    }
}
