internal import Encoder
internal import Kernels
internal import Threads

/// Compute threads that share one encoder and gather batches across callers.
final class EncoderPool: Sendable {
    private struct State {
        var queue: EmbeddingQueue
        var idle = 0
        var isStopping = false
        var statistics = EncoderStatistics()
    }

    private let encoder: SentenceEncoder
    private let state: Monitor<State>
    private let threads: Monitor<[SystemThread]>
    private let waitingLimit: Int
    private let threadCount: Int
    /// Lends a second core to a batch that is alone.
    private let team: ComputeTeam?

    /// Starts `threadCount` threads, each with a workspace for `tokenBudget` tokens.
    ///
    /// - Parameters:
    ///   - encoder: the weights, shared by all threads.
    ///   - threadCount: how many batches are computed at once.
    ///   - tokenBudget: the most tokens in a batch; at least the longest sequence.
    ///   - waitingLimit: callers allowed to wait; one more is refused.
    /// - Throws: where the system does not give that many threads.
    init(
        encoder: SentenceEncoder, threadCount: Int, tokenBudget: Int, waitingLimit: Int
    ) throws(ModelFault) {
        self.encoder = encoder
        self.waitingLimit = waitingLimit
        self.threadCount = threadCount
        team = threadCount > 1 ? ComputeTeam() : nil
        state = Monitor(State(queue: EmbeddingQueue(tokenBudget: tokenBudget)))
        threads = Monitor([])
        do throws(ThreadRefusal) {
            for _ in 0..<threadCount {
                let thread = try SystemThread { [self] in compute(tokenBudget: tokenBudget) }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            stop()
            throw ModelFault("\(threadCount) compute threads: \(error)")
        }
    }

    /// Ends the threads once the queue is empty.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.wakeAll()
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    /// Queues `job`; its rows arrive as batches finish.
    func submit(_ job: EmbeddingJob) throws(InferenceError) {
        let isAccepted = state.withLock { state in
            guard job.isBackground || state.queue.waiting < waitingLimit else { return false }
            state.queue.add(job)
            return true
        }
        guard isAccepted else { throw .overloaded(retryAfter: 1) }
        // One text is one batch: a second thread would wake up for nothing, on the core that the team needs.
        if job.sequences.count > 1 { state.wakeAll() } else { state.wakeOne() }
    }

    /// Embeds `sequences` and waits: [sequences, hidden], each row of length 1, and the time before
    /// the encoder took the first.
    ///
    /// - Throws: `overloaded`, or `tooLate` where the last row is not there by `deadline`; what is
    ///   left of the work is dropped.
    func embed(
        _ sequences: [[Int32]], before deadline: ContinuousClock.Instant?
    ) throws(InferenceError) -> (values: [Float], waited: Duration) {
        let job = EmbeddingJob(
            sequences: sequences, columns: encoder.configuration.hidden, isBackground: false)
        try submit(job)
        guard let deadline else { return (job.result(), job.waitingTime) }
        if let values = job.result(before: deadline) { return (values, job.waitingTime) }
        state.withLock { $0.statistics.dropped += 1 }
        drop(job)
        throw .tooLate
    }

    /// Takes back what is left of a job.
    func drop(_ job: EmbeddingJob) { state.withLock { $0.queue.remove(job) } }

    /// What was computed so far and what waits.
    var statistics: EncoderStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingJobs = state.queue.waiting
            (statistics.waitingSequences, statistics.backgroundSequences) = state.queue.sequences
            return statistics
        }
    }

    private func compute(tokenBudget: Int) {
        var workspace = encoder.makeWorkspace(tokens: tokenBudget)
        var batch = PackedBatch()
        var rows = Matrix(rows: tokenBudget, columns: encoder.configuration.hidden)
        while let (items, isAlone) = nextBatch() {
            batch.removeAll(keepingCapacity: true)
            var last: EmbeddingJob?
            for item in items {
                if item.job !== last { item.job.begin() }
                last = item.job
                batch.append(item.job.sequences[item.index])
            }
            rows.rows = items.count
            var output = rows.mutableSpan
            encoder.encode(
                batch, workspace: &workspace, team: isAlone ? team : nil, into: &output)
            for (row, item) in items.enumerated() {
                let columns = rows.columns
                let values = rows.span.extracting(row * columns..<(row + 1) * columns)
                item.job.finish(item.index, row: values)
            }
        }
    }

    /// The next batch, and whether nothing else is computed or waits.
    private func nextBatch() -> (items: [EmbeddingQueue.Item], isAlone: Bool)? {
        state.withLock { $0.idle += 1 }
        return state.wait { state -> (items: [EmbeddingQueue.Item], isAlone: Bool)?? in
            guard !state.queue.isEmpty else { return state.isStopping ? .some(nil) : nil }
            let items = state.queue.takeBatch(sharers: max(state.idle, 1))
            state.idle -= 1
            state.statistics.count(items)
            let isAlone = state.queue.isEmpty && state.idle == threadCount - 1
            return (items, isAlone)
        }
    }
}
