/// One thread's part in work that goes from stage to stage.
///
/// Each thread calls `stage` for the same stages in the same order.
package struct Share {
    /// 0 or 1: which of two places that belong to one thread is this one's.
    package let index: Int

    /// Whether another thread may take pieces.
    package var isShared: Bool { stages != nil }

    private let stages: Stages?
    private var number: UInt32
    private var total: Int

    /// All of the work, for a thread alone.
    package static var whole: Share { Share(index: 0, stages: nil, after: (0, 0)) }

    init(index: Int, stages: Stages?, after position: (stage: UInt32, pieces: Int)) {
        self.index = index
        self.stages = stages
        (number, total) = position
    }

    /// Runs `work` for pieces of 0 ..< `pieces` until all are finished, here or by the other thread.
    ///
    /// Pieces are taken from both ends, so that with two threads each stage's first pieces are for the first,
    /// whose cache knows what it wrote, and the last for the second.
    package mutating func stage(_ pieces: Int, _ work: (_ piece: Int) -> Void) {
        guard let stages else {
            for piece in 0..<pieces { work(piece) }
            return
        }
        number &+= 1
        total += pieces
        stages.open(number, pieces: pieces)
        var mine = 0
        while let piece = stages.take(of: number, fromFront: index == 0) {
            work(piece)
            mine += 1
        }
        stages.finish(mine, waitingFor: total)
    }
}

/// Part `index` of 0 ..< `n`, which is cut into `count` parts at multiples of `unit`.
package func part(_ index: Int, of count: Int, _ n: Int, in unit: Int = 1) -> Range<Int> {
    let units = (n + unit - 1) / unit
    let start = units * index / count * unit
    let end = units * (index + 1) / count * unit
    return min(start, n)..<min(end, n)
}
