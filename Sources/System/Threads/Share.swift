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

    /// All of the work, for a thread alone.
    package static var whole: Share { Share(index: 0, stages: nil, after: 0) }

    init(index: Int, stages: Stages?, after number: UInt32) {
        self.index = index
        self.stages = stages
        self.number = number
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
        let fromFront = index == 0
        // More pieces than a stage holds are stages one after the other.
        for start in stride(from: 0, to: pieces, by: Stages.mostPieces) {
            let count = min(Stages.mostPieces, pieces - start)
            number &+= 1
            var piece = stages.enter(number, pieces: count, fromFront: fromFront)
            while let mine = piece {
                work(start + mine)
                piece = stages.next(fromFront: fromFront)
            }
            stages.await(number, pieces: count)
        }
    }
}

/// Part `index` of 0 ..< `n`, which is cut into `count` parts at multiples of `unit`.
package func part(_ index: Int, of count: Int, _ n: Int, in unit: Int = 1) -> Range<Int> {
    let units = (n + unit - 1) / unit
    let start = units * index / count * unit
    let end = units * (index + 1) / count * unit
    return min(start, n)..<min(end, n)
}
