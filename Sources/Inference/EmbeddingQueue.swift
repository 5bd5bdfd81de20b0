/// Sequences waiting for the encoder, taken in batches under a token budget.
///
/// Callers take turns, a sequence each, so a long job does not keep a short one waiting; background
/// jobs are served when no other waits, and a little of them after so many batches of others: a training run
/// beside clients that never pause would come to no end. Nothing is held back to fill a batch: an idle encoder
/// takes what there is.
struct EmbeddingQueue {
    /// A sequence of a job.
    struct Item {
        let job: EmbeddingJob
        let index: Int
    }

    /// The most tokens in a batch of jobs that somebody waits for.
    let tokenBudget: Int

    /// The most tokens in a background batch: never many, so that a request soon gets its turn.
    let backgroundBudget: Int

    /// Batches of others while background work waits, before some of it has a turn, and the tokens of that turn,
    /// or one sequence: where 32 tokens take 12 ms of a core, the longest take 100.
    private static let patience = 8
    private static let turnTokens = 32
    private var passedOver = 0

    private var foreground = Line()
    private var background = Line()

    init(tokenBudget: Int) {
        self.tokenBudget = tokenBudget
        backgroundBudget = min(tokenBudget, 512)
    }

    var isEmpty: Bool { foreground.jobs.isEmpty && background.jobs.isEmpty }

    /// Jobs that somebody waits for.
    var waiting: Int { foreground.jobs.count }

    /// Sequences that somebody waits for, and those of background jobs.
    var sequences: (foreground: Int, background: Int) {
        (foreground.sequences, background.sequences)
    }

    mutating func add(_ job: EmbeddingJob) {
        if job.isBackground { background.add(job) } else { foreground.add(job) }
    }

    /// Drops what is left of a job that nobody waits for any more.
    mutating func remove(_ job: EmbeddingJob) {
        foreground.remove(job)
        background.remove(job)
    }

    /// The next batch; `sharers` threads are free to take part, so a small queue is split among them.
    mutating func takeBatch(sharers: Int) -> [Item] {
        if foreground.jobs.isEmpty {
            passedOver = 0
            return background.take(tokens: backgroundBudget)
        }
        if !background.jobs.isEmpty {
            passedOver += 1
            if passedOver > Self.patience {
                passedOver = 0
                return background.take(tokens: Self.turnTokens)
            }
        }
        let share = (foreground.tokens + sharers - 1) / sharers
        return foreground.take(tokens: min(tokenBudget, max(share, 1)))
    }
}

/// Jobs of one priority, served in turn.
private struct Line {
    private(set) var jobs: [(job: EmbeddingJob, next: Int)] = []
    private(set) var tokens = 0
    private var turn = 0

    mutating func add(_ job: EmbeddingJob) {
        guard !job.sequences.isEmpty else { return }
        jobs.append((job, 0))
        tokens += job.sequences.reduce(0) { $0 + $1.count }
    }

    /// Sequences not taken yet.
    var sequences: Int { jobs.reduce(0) { $0 + $1.job.sequences.count - $1.next } }

    mutating func remove(_ job: EmbeddingJob) {
        guard let place = jobs.firstIndex(where: { $0.job === job }) else { return }
        tokens -= job.sequences[jobs[place].next...].reduce(0) { $0 + $1.count }
        jobs.remove(at: place)
        if place < turn { turn -= 1 }
    }

    /// Sequences up to `budget` tokens, always at least one.
    mutating func take(tokens budget: Int) -> [EmbeddingQueue.Item] {
        var items: [EmbeddingQueue.Item] = []
        var taken = 0
        while !jobs.isEmpty {
            if turn >= jobs.count { turn = 0 }
            let (job, index) = jobs[turn]
            let length = job.sequences[index].count
            if taken > 0, taken + length > budget { break }
            items.append(EmbeddingQueue.Item(job: job, index: index))
            taken += length
            if index + 1 == job.sequences.count {
                jobs.remove(at: turn)
            } else {
                jobs[turn].next = index + 1
                turn += 1
            }
        }
        tokens -= taken
        return items
    }
}
