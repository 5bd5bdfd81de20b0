/// Admission: refuses jobs that would not be done in time, and those that would make an admitted
/// job late.
extension EmbeddingQueue {
    /// What of its time a job may need by the estimate if others are ahead of it.
    private static let margin = 0.85

    /// The same for one that nobody is ahead of.
    private static let marginAlone = 0.95

    /// How far beyond its time a job must be by the estimate to be given up.
    private static let hopeless = 2.0

    /// Why a job of `tokens` is refused; nil if it may come in.
    ///
    /// - Parameter others: tokens that are done before it, besides those in the queue.
    func refusal(
        of tokens: Int, before deadline: ContinuousClock.Instant, behind others: Int = 0,
        at pace: Pace, now: ContinuousClock.Instant
    ) -> TooMuchWork? {
        let left = now.duration(to: deadline) / .seconds(1)
        let isShort = tokens <= Self.shortTokens
        var ahead = others + short.tokens
        if !isShort {
            for entry in long.jobs where entry.tokens <= tokens { ahead += entry.tokens }
        }
        // What was measured long ago says little, and would never be measured again.
        guard pace.isFresh(at: now) || !isShort && !long.isEmpty else { return nil }
        if isShort && ahead == 0 { return nil }
        // Short jobs have three quarters of the encoder beside long ones.
        let seconds = pace.seconds(for: ahead + tokens) * (isShort && !long.isEmpty ? 4 / 3 : 1)
        let usable = left * (ahead == 0 ? Self.marginAlone : Self.margin)
        let isLate = seconds > usable
        guard isLate || !isShort && breaks(tokens, at: pace, now) else { return nil }
        // If others would be late, all that is promised to them counts as ahead.
        if !isLate { ahead = others + short.tokens + long.tokens }
        return TooMuchWork(
            tokens: tokens, ahead: ahead, seconds: pace.seconds(for: ahead + tokens),
            secondsLeft: isLate ? usable : left)
    }

    /// Whether a long job of `tokens` would make one late that else is not.
    private func breaks(_ tokens: Int, at pace: Pace, _ now: ContinuousClock.Instant) -> Bool {
        var before = short.tokens
        for entry in long.jobs.sorted(by: { $0.tokens < $1.tokens }) {
            before += entry.tokens
            guard entry.tokens > tokens, let deadline = entry.job.deadline else { continue }
            let left = now.duration(to: deadline) / .seconds(1)
            if pace.seconds(for: before) <= left, pace.seconds(for: before + tokens) > left {
                return true
            }
        }
        return false
    }

    /// Takes out the jobs that came in unmeasured and, as has been measured since, cannot be done in
    /// their time.
    ///
    /// Each is looked at once: with the first measurement of its own work.
    mutating func takeTooLarge(
        at pace: Pace, now: ContinuousClock.Instant
    ) -> [(job: EmbeddingJob, work: TooMuchWork)] {
        guard let measuredAt = pace.measuredAt else { return [] }
        var found: [(EmbeddingJob, TooMuchWork)] = []
        for entry in takeMeasured(at: measuredAt) {
            guard let deadline = entry.job.deadline else { continue }
            let left = now.duration(to: deadline) / .seconds(1)
            guard pace.seconds(for: entry.tokens) > left * Self.marginAlone else { continue }
            let whole = entry.job.madeAt.duration(to: deadline) / .seconds(1)
            let work = TooMuchWork(
                tokens: entry.job.tokens, ahead: 0, seconds: pace.seconds(for: entry.job.tokens),
                secondsLeft: whole * Self.marginAlone)
            remove(entry.job)
            found.append((entry.job, work))
        }
        return found
    }

    /// Takes out the next long jobs for as long as they cannot be done in time, at twice the pace.
    mutating func takeHopeless(
        at pace: Pace, now: ContinuousClock.Instant
    ) -> [EmbeddingJob] {
        var found: [EmbeddingJob] = []
        while pace.isFresh(at: now), let first = long.first, let deadline = first.job.deadline,
            pace.seconds(for: first.tokens)
                > Self.hopeless * max(now.duration(to: deadline) / .seconds(1), 0)
        {
            remove(first.job)
            found.append(first.job)
        }
        return found
    }
}
