/// One thread's view of work that goes from phase to phase.
///
/// Each thread calls `phase` for the same phases in the same order.
package struct Worker {
    /// 0 for the caller's thread, 1 for the second: which of two scratch buffers is this thread's.
    package let index: Int

    /// Whether another thread may take chunks.
    package var isPaired: Bool { barrier != nil }

    private let barrier: PhaseBarrier?
    private var number: UInt32
    private let mustLeave: (@Sendable () -> Bool)?
    private var hasLeft = false

    /// The worker of a thread that does all chunks itself.
    package static var alone: Worker { Worker(index: 0, barrier: nil, after: 0) }

    /// A worker that joins at the phase after phase `number`.
    ///
    /// - Parameter mustLeave: asked before each phase; true ends this thread's part for good.
    init(
        index: Int, barrier: PhaseBarrier?, after number: UInt32,
        unless mustLeave: (@Sendable () -> Bool)? = nil
    ) {
        self.index = index
        self.barrier = barrier
        self.number = number
        self.mustLeave = mustLeave
    }

    /// Runs `work` for chunks 0 ..< `chunks` until all are finished, here or by the other thread.
    ///
    /// Threads take chunks from opposite ends. Each phase's first chunks then go to the first
    /// thread, whose cache holds what it wrote there, and its last chunks to the second.
    package mutating func phase(_ chunks: Int, _ work: (_ chunk: Int) -> Void) {
        guard let barrier else {
            for chunk in 0..<chunks { work(chunk) }
            return
        }
        if let mustLeave, !hasLeft { hasLeft = mustLeave() }
        if hasLeft { return }
        let fromFront = index == 0
        // More chunks than a phase of the barrier holds become several phases.
        for start in stride(from: 0, to: chunks, by: PhaseBarrier.mostChunks) {
            let count = min(PhaseBarrier.mostChunks, chunks - start)
            number &+= 1
            var chunk = barrier.enter(number, chunks: count, fromFront: fromFront)
            while let mine = chunk {
                work(start + mine)
                chunk = barrier.next(fromFront: fromFront)
            }
            barrier.await(number, chunks: count)
        }
    }
}

/// Chunk `index` of 0 ..< `n`, which is cut into `count` chunks at multiples of `unit`.
package func chunk(_ index: Int, of count: Int, in n: Int, unit: Int = 1) -> Range<Int> {
    let units = (n + unit - 1) / unit
    let start = units * index / count * unit
    let end = units * (index + 1) / count * unit
    return min(start, n)..<min(end, n)
}
