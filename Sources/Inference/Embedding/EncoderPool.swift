internal import Encoder
internal import Tensors
internal import System

/// Compute threads that share one encoder and gather batches across callers.
final class EncoderPool: Sendable {
    private struct State {
        var queue: EmbeddingQueue
        var pace: Pace
        /// Tokens in a byte of a long request, by those seen; nil before the first.
        var tokensPerByte: Double?
        var wariness = Wariness()
        var idle = 0
        /// Threads that compute long jobs.
        var longUnderway = 0
        var isStopping = false
        var statistics = EncoderStatistics()
    }

    private let encoder: SentenceEncoder
    private let state: Monitor<State>
    private let threads: Monitor<[SystemThread]>
    private let waitingLimit: Int
    private let threadCount: Int
    /// Lends a second core to a batch that is alone.
    private let team: WorkerPair?

    /// Starts `threadCount` threads, each with a workspace for `tokenBudget` tokens.
    ///
    /// - Parameters:
    ///   - encoder: the weights, shared by all threads.
    ///   - threadCount: how many batches are computed at once.
    ///   - tokenBudget: the most tokens in a batch; at least the longest sequence.
    ///   - waitingLimit: callers allowed to wait; one more is refused.
    /// - Throws: if the system does not give that many threads.
    init(
        encoder: SentenceEncoder, threadCount: Int, tokenBudget: Int, waitingLimit: Int
    ) throws(ModelFault) {
        self.encoder = encoder
        self.waitingLimit = waitingLimit
        self.threadCount = threadCount
        team = threadCount > 1 ? WorkerPair.shared : nil
        state = Monitor(
            State(
                queue: EmbeddingQueue(tokenBudget: tokenBudget),
                pace: Pace(threads: threadCount)))
        threads = Monitor([])
        do throws(SystemError) {
            let workspace = encoder.workspaceBytes(tokens: tokenBudget)
            try requireMemory(threadCount * (workspace + Self.stackBytes) + Self.reserve)
        } catch {
            throw ModelFault(
                "no memory for \(threadCount) compute threads: \(error)", isPassing: true)
        }
        do throws(ThreadRefusal) {
            for _ in 0..<threadCount {
                let thread = try SystemThread(stackBytes: Self.stackBytes) { [self] in
                    compute(tokenBudget: tokenBudget)
                }
                threads.withLock { $0.append(thread) }
            }
        } catch {
            stop()
            throw ModelFault("\(threadCount) compute threads: \(error)", isPassing: true)
        }
    }

    private static let stackBytes = 1 << 20

    /// What is allocated beside the threads until the first batch is computed.
    private static let reserve = 8 << 20

    /// Ends the threads once the queue is empty.
    func stop() {
        state.withLock { $0.isStopping = true }
        state.wakeAll()
        for thread in threads.withLock({ $0 }) { thread.join() }
    }

    /// Queues `job`; its rows arrive as batches finish.
    ///
    /// - Throws: `overloaded` if too many wait, `tooMuchWork` if it would be late.
    func submit(_ job: EmbeddingJob) throws(InferenceError) {
        let refusal = state.withLock { state -> InferenceError? in
            if !job.isBackground {
                guard state.queue.waiting < waitingLimit else { return .overloaded(retryAfter: 1) }
                let now = ContinuousClock.now
                if let deadline = job.deadline,
                    let work = state.queue.refusal(
                        of: job.tokens, before: deadline, at: state.pace, now: now)
                {
                    return .tooMuchWork(work)
                }
            }
            // The last long job may have been dropped; the time since then is none of the
            // encoder's.
            if state.queue.long.isEmpty, state.longUnderway == 0 { state.pace.interrupt() }
            state.queue.add(job, isMeasured: state.pace.isFresh(at: .now))
            return nil
        }
        if let refusal { throw refusal }
        // One text is one batch: a second thread would wake up for nothing, on the core that the
        // team needs.
        if job.sequences.count > 1 { state.wakeAll() } else { state.wakeOne() }
    }

    /// Why a request of at least `tokens` would be refused by now; nil if it may yet be let in.
    func refusal(of tokens: Int, before deadline: ContinuousClock.Instant) -> TooMuchWork? {
        state.withLock {
            $0.queue.refusal(of: tokens, before: deadline, at: $0.pace, now: .now)
        }
    }

    /// The same for a long request of which only the length is known, behind others that are not
    /// read either.
    ///
    /// As long as none was read in vain just now, nil as well if nothing waits.
    func refusal(
        ofBytes bytes: Int, behind others: Int, before deadline: ContinuousClock.Instant
    ) -> TooMuchWork? {
        state.withLock { state in
            let now = ContinuousClock.now
            let isWary = state.wariness.isOn(at: now)
            let isBusy = !state.queue.long.isEmpty || others > 0
            guard isBusy || isWary else { return nil }
            if let tokensPerByte = state.tokensPerByte {
                // A little less: texts differ, and one that is let in is counted exactly.
                let share = isWary ? 1 : 0.8
                let tokens = { (bytes: Int) in Int(Double(bytes) * tokensPerByte * share) }
                let refusal = state.queue.refusal(
                    of: max(tokens(bytes), EmbeddingQueue.shortTokens + 1), before: deadline,
                    behind: tokens(others), at: state.pace, now: now)
                if let refusal { return refusal }
            }
            return isWary && isBusy ? state.wariness.refusal(ofBytes: bytes) : nil
        }
    }

    /// Notes that a request of `bytes` was read in vain, which began at `start`.
    func noteVain(_ bytes: Int, since start: ContinuousClock.Instant, reason: TooMuchWork) {
        let now = ContinuousClock.now
        state.withLock {
            $0.wariness.note(
                bytes, seconds: start.duration(to: now) / .seconds(1), reason: reason, now: now)
        }
    }

    /// Notes that a request of `bytes` had so many tokens.
    func note(_ tokens: Int, inRequestOf bytes: Int) {
        guard tokens > EmbeddingQueue.shortTokens, bytes > 0 else { return }
        let ratio = Double(tokens) / Double(bytes)
        state.withLock {
            $0.tokensPerByte = $0.tokensPerByte.map { $0 + 0.2 * (ratio - $0) } ?? ratio
        }
    }

    /// Embeds `sequences` and waits: [sequences, hidden], each row of length 1, and the time before
    /// the encoder took the first.
    ///
    /// - Throws: `overloaded` or `tooMuchWork` at once; `tooLate` if the last row is not there in
    ///   time, `callerLeft` if nobody waits for it any more. What is left of the work is then
    ///   dropped.
    func embed(
        _ sequences: [[Int32]], for caller: Caller
    ) throws(InferenceError) -> (values: [Float], waited: Duration) {
        let job = EmbeddingJob(
            sequences: sequences, columns: encoder.configuration.hidden, isBackground: false,
            deadline: caller.deadline)
        try submit(job)
        while true {
            if let values = job.result(before: caller.nextLook) { return (values, job.waitingTime) }
            let givenUp = job.givenUp ?? (caller.isLate ? .tooLate : nil)
            if let givenUp {
                drop(job)
                throw givenUp
            }
            if caller.hasLeft() {
                drop(job)
                throw .callerLeft
            }
        }
    }

    /// Takes back what is left of a job.
    func drop(_ job: EmbeddingJob) { state.withLock { $0.queue.remove(job) } }

    /// What was computed so far and what waits.
    var statistics: EncoderStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingJobs = state.queue.waiting
            statistics.waitingTokens = state.queue.short.tokens + state.queue.long.tokens
            statistics.tokensPerSecond = state.pace.tokensPerSecond
            statistics.isPaceMeasured = state.pace.measuredAt != nil
            (statistics.waitingSequences, statistics.backgroundSequences) = state.queue.sequences
            return statistics
        }
    }

    private func compute(tokenBudget: Int) {
        var workspace = encoder.makeWorkspace(tokens: tokenBudget)
        var packed = PackedBatch()
        var rows = Matrix(rows: tokenBudget, columns: encoder.configuration.hidden)
        var done: EmbeddingQueue.Batch?
        while let (batch, isAlone) = nextBatch(after: done) {
            let items = batch.items
            packed.removeAll(keepingCapacity: true)
            var last: EmbeddingJob?
            for item in items {
                if item.job !== last { item.job.begin() }
                last = item.job
                packed.append(item.job.sequences[item.index])
            }
            rows.rows = items.count
            var output = rows.mutableSpan
            encoder.encode(
                packed, workspace: &workspace, workers: isAlone ? team : nil, into: &output)
            for (row, item) in items.enumerated() {
                let columns = rows.columns
                let values = rows.span.extracting(row * columns..<(row + 1) * columns)
                item.job.finish(item.index, row: values)
            }
            done = batch
        }
    }

    /// The next batch, and whether nothing else is computed or waits; `done` is the one before.
    private func nextBatch(
        after done: EmbeddingQueue.Batch?
    ) -> (batch: EmbeddingQueue.Batch, isAlone: Bool)? {
        state.withLock { state in
            state.idle += 1
            guard let done, done.isLong else { return }
            state.longUnderway -= 1
            let goesOn = !state.queue.long.isEmpty || state.longUnderway > 0
            state.pace.note(done.tokens, at: .now, goesOn: goesOn)
        }
        return state.wait { state -> (batch: EmbeddingQueue.Batch, isAlone: Bool)?? in
            if !state.queue.long.isEmpty {
                for (job, work) in state.queue.takeTooLarge(at: state.pace, now: .now) {
                    job.giveUp(.tooMuchWork(work))
                }
                for job in state.queue.takeHopeless(at: state.pace, now: .now) { job.giveUp() }
            }
            guard !state.queue.isEmpty else { return state.isStopping ? .some(nil) : nil }
            let batch = state.queue.takeBatch(sharers: max(state.idle, 1))
            state.idle -= 1
            if batch.isLong { state.longUnderway += 1 }
            state.statistics.count(batch.items)
            let isAlone = state.queue.isEmpty && state.idle == threadCount - 1
            return (batch, isAlone)
        }
    }
}
