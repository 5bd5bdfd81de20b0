/// Jobs of one priority: the one with the least left comes first, and of equals the oldest.
struct JobLine {
    /// A job and what of it was not taken yet.
    struct Entry {
        let job: EmbeddingJob
        fileprivate(set) var next = 0
        fileprivate(set) var tokens: Int
        /// Whether it came in when no recent pace could tell if it can be done in time.
        fileprivate var isUnmeasured: Bool
    }

    /// In the order in which they came.
    private(set) var jobs: [Entry] = []

    /// Tokens not taken yet, of all.
    private(set) var tokens = 0

    /// Batches since one began with the oldest job.
    private var sinceOldest = 0
    private static let ageTurn = 4

    var isEmpty: Bool { jobs.isEmpty }

    /// Sequences not taken yet.
    var sequences: Int { jobs.reduce(0) { $0 + $1.job.sequences.count - $1.next } }

    /// The job that is next.
    var first: Entry? { place(ofOldest: false).map { jobs[$0] } }

    /// Adds `job`; `isMeasured` says whether a recent pace let it in.
    mutating func add(_ job: EmbeddingJob, isMeasured: Bool = true) {
        guard !job.sequences.isEmpty else { return }
        jobs.append(Entry(job: job, tokens: job.tokens, isUnmeasured: !isMeasured))
        tokens += job.tokens
    }

    /// The jobs that came in unmeasured before `time`, a measurement's; each is given once.
    mutating func measured(at time: ContinuousClock.Instant) -> [Entry] {
        var found: [Entry] = []
        for i in jobs.indices where jobs[i].isUnmeasured && jobs[i].job.madeAt < time {
            jobs[i].isUnmeasured = false
            found.append(jobs[i])
        }
        return found
    }

    mutating func remove(_ job: EmbeddingJob) {
        guard let place = jobs.firstIndex(where: { $0.job === job }) else { return }
        tokens -= jobs[place].tokens
        jobs.remove(at: place)
    }

    /// Sequences up to `budget` tokens, always at least one.
    ///
    /// - Parameter mindsAge: whether every fourth batch begins with the oldest job.
    mutating func take(tokens budget: Int, mindsAge: Bool = false) -> [EmbeddingQueue.Item] {
        var items: [EmbeddingQueue.Item] = []
        var taken = 0
        sinceOldest += 1
        let beginsWithOldest = mindsAge && sinceOldest >= Self.ageTurn
        if beginsWithOldest { sinceOldest = 0 }
        while let place = place(ofOldest: beginsWithOldest && items.isEmpty) {
            let more = take(from: place, upTo: budget - taken, atLeastOne: items.isEmpty)
            if more.isEmpty { break }
            taken += more.reduce(0) { $0 + $1.job.sequences[$1.index].count }
            items += more
        }
        tokens -= taken
        return items
    }

    /// Sequences of one job; the job leaves with its last.
    private mutating func take(
        from place: Int, upTo budget: Int, atLeastOne: Bool
    ) -> [EmbeddingQueue.Item] {
        var items: [EmbeddingQueue.Item] = []
        var entry = jobs[place]
        var left = budget
        while entry.next < entry.job.sequences.count {
            let length = entry.job.sequences[entry.next].count
            if length > left, !(atLeastOne && items.isEmpty) { break }
            items.append(EmbeddingQueue.Item(job: entry.job, index: entry.next))
            left -= length
            entry.next += 1
            entry.tokens -= length
        }
        if entry.next == entry.job.sequences.count {
            jobs.remove(at: place)
        } else {
            jobs[place] = entry
        }
        return items
    }

    private func place(ofOldest isOldest: Bool) -> Int? {
        if isOldest { return jobs.isEmpty ? nil : 0 }
        return jobs.indices.min { jobs[$0].tokens < jobs[$1].tokens }
    }
}
