/// Sequences waiting for the encoder, taken in batches under a token budget.
///
/// Short jobs come before long ones, which get a fifth of the tokens beside short ones that never
/// pause. Among the short, and among the long, the job with the least left comes first: of jobs
/// that together are too much, turns would finish none in time. Among the short every fourth batch
/// begins with the oldest; the long are admitted only as far as this order lets all of them end in
/// time.
///
/// Background jobs are served when no other waits, and a little of them after so many batches of
/// others: a training run beside clients that never pause would come to no end. Nothing is held
/// back to fill a batch: an idle encoder takes what there is.
struct EmbeddingQueue {
    /// A sequence of a job.
    struct Item {
        let job: EmbeddingJob
        let index: Int
    }

    /// What is computed at once.
    struct Batch {
        let items: [Item]
        /// Whether the items are of long jobs.
        var isLong = false

        /// Tokens of all items.
        var tokens: Int { items.reduce(0) { $0 + $1.job.sequences[$1.index].count } }
    }

    /// The most tokens in a batch of jobs that somebody waits for.
    let tokenBudget: Int

    /// The most tokens in a background batch: never many, so that a request soon gets its turn.
    let backgroundBudget: Int

    /// The most tokens of a short job: as many as one batch holds.
    static let shortTokens = 512

    /// Keeps background work from starving: after 8 foreground batches, one background batch of at
    /// most 32 tokens, or of one sequence.
    private static let patience = 8
    private static let turnTokens = 32
    private var passedOver = 0

    /// Tokens of short jobs while long ones wait, before a long one has a turn; a batch counts as
    /// this many more, because a small one takes longer than its tokens say.
    private static let shortShare = 3 * shortTokens / 2
    private static let batchCost = 32
    private var owed = 0

    /// Long batches since a short job came.
    ///
    /// While some come, long batches are of half the size: a short job waits for the one under way.
    private var sinceShort = Int.max
    private static let watch = 64

    private(set) var short = JobLine()
    private(set) var long = JobLine()
    private var background = JobLine()

    init(tokenBudget: Int) {
        self.tokenBudget = tokenBudget
        backgroundBudget = min(tokenBudget, 512)
    }

    var isEmpty: Bool { short.isEmpty && long.isEmpty && background.isEmpty }

    /// Jobs that somebody waits for.
    var waiting: Int { short.jobs.count + long.jobs.count }

    /// Sequences that somebody waits for, and those of background jobs.
    var sequences: (foreground: Int, background: Int) {
        (short.sequences + long.sequences, background.sequences)
    }

    /// Queues `job`; `isMeasured` says whether a recent pace let it in.
    mutating func add(_ job: EmbeddingJob, isMeasured: Bool = true) {
        if job.isBackground {
            background.add(job)
        } else if job.tokens <= Self.shortTokens {
            short.add(job)
            sinceShort = 0
        } else {
            long.add(job, isMeasured: isMeasured)
        }
    }

    /// The long jobs that came in unmeasured before `time`, a measurement's; each is given once.
    mutating func takeMeasured(at time: ContinuousClock.Instant) -> [JobLine.Entry] {
        long.measured(at: time)
    }

    /// Drops what is left of a job that nobody waits for any more.
    mutating func remove(_ job: EmbeddingJob) {
        short.remove(job)
        long.remove(job)
        background.remove(job)
    }

    /// The next batch; `sharers` threads are free to take part, so a small queue is split among
    /// them.
    mutating func takeBatch(sharers: Int) -> Batch {
        if short.isEmpty && long.isEmpty {
            passedOver = 0
            return Batch(items: background.take(tokens: backgroundBudget))
        }
        if !background.isEmpty {
            passedOver += 1
            if passedOver > Self.patience {
                passedOver = 0
                return Batch(items: background.take(tokens: Self.turnTokens))
            }
        }
        if long.isEmpty { owed = 0 }
        if !short.isEmpty && owed < Self.shortShare {
            let batch = Batch(
                items: short.take(tokens: share(of: short, sharers), mindsAge: true))
            if !long.isEmpty { owed += batch.tokens + Self.batchCost }
            return batch
        }
        owed = 0
        let expectsShort = sinceShort < Self.watch
        if expectsShort { sinceShort += 1 }
        let budget = min(share(of: long, sharers), expectsShort ? tokenBudget / 2 : tokenBudget)
        return Batch(items: long.take(tokens: budget), isLong: true)
    }

    private func share(of line: JobLine, _ sharers: Int) -> Int {
        min(tokenBudget, max((line.tokens + sharers - 1) / sharers, 1))
    }
}
