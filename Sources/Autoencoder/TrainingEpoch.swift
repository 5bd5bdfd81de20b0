internal import Kernels
internal import Synchronization
internal import Threads

/// One pass over the corpus in a given order, run by one thread or by two together.
struct TrainingEpoch: Sendable {
    let buffers: TrainingBuffers
    let corpus: TrainingCorpus
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

    /// Runs some of the epoch's steps, with a team where there is one.
    ///
    /// - Returns: the sum of the batches' losses.
    func run(_ portion: Range<Int>, _ team: ComputeTeam?) -> Double {
        let sums = HalfSums()
        let together = team?.run { share in run(portion, &share, sums) } ?? false
        if !together {
            var alone = Share.whole
            run(portion, &alone, sums)
        }
        return sums[0] + sums[1]
    }

    private func run(_ portion: Range<Int>, _ share: inout Share, _ sums: HalfSums) {
        for index in portion {
            let places = order[index * batchSize..<min((index + 1) * batchSize, order.count)]
            let turn = index % 2
            share.stage(2) { half in fill(half, turn, places, before: index * batchSize) }
            let step = TrainingStep(
                buffers: buffers, rows: places.count, turn: turn,
                adam: adam.step(stepsBefore + index + 1))
            step.run(&share) { half, loss in sums[half] += loss }
        }
    }

    /// Fills half of a step's rows: targets are the clean embeddings of the lines at `places`, inputs the
    /// same with noise.
    private func fill(_ half: Int, _ turn: Int, _ places: ArraySlice<Int32>, before: Int) {
        let width = AutoencoderShape.width
        let mine = places.count * half / 2..<places.count * (half + 1) / 2
        var target = unsafe buffers.block.mutableSpan(from: buffers.target(turn: turn))
        var input = unsafe buffers.block.mutableSpan(from: buffers.input(turn: turn))
        for row in mine {
            // Lines come in random order, so the processor cannot foresee the next: a step takes 0.97 of the time.
            if row + 1 < mine.upperBound {
                prefetch(corpus.clean(Int(places[places.startIndex + row + 1])))
            }
            corpus.write(
                Int(places[places.startIndex + row]), noise.dropping((before + row) * width),
                deviation: noiseLevel, row: row, clean: &target, noisy: &input)
        }
        buffers.layInLanes(mine, turn: turn)
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
