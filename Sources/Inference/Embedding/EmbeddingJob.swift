internal import System

/// One caller's sequences on their way through the encoder; rows come back in any order.
final class EmbeddingJob: Sendable {
    /// Token ids of each sequence.
    let sequences: [[Int32]]

    /// Elements in a row of the result.
    let columns: Int

    /// Work that only fills what nobody waits for: a training run's texts.
    let isBackground: Bool

    /// Tokens of all sequences.
    let tokens: Int

    /// When the result would come too late; nil: never.
    let deadline: ContinuousClock.Instant?

    private let progress: Monitor<Progress>

    fileprivate struct Progress {
        var values: [Float]
        var missing: Int
        var givenUp: InferenceError?
        var began: ContinuousClock.Instant?
    }

    /// When the job was made, which is when it began to wait.
    let madeAt = ContinuousClock.now

    init(
        sequences: [[Int32]], columns: Int, isBackground: Bool,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.sequences = sequences
        self.deadline = deadline
        tokens = sequences.reduce(0) { $0 + $1.count }
        self.columns = columns
        self.isBackground = isBackground
        progress = Monitor(
            Progress(
                values: Array(repeating: 0, count: sequences.count * columns),
                missing: sequences.count))
    }

    /// Says that the encoder has taken the first of its sequences.
    func begin() {
        progress.withLock { if $0.began == nil { $0.began = .now } }
    }

    /// How long it waited for the encoder, so far or in all.
    var waitingTime: Duration {
        madeAt.duration(to: progress.withLock { $0.began } ?? .now)
    }

    /// Stores the row of sequence `index`.
    func finish(_ index: Int, row: Span<Float>) {
        let isLast = progress.withLock { progress in
            let start = index * columns
            for i in row.indices { progress.values[start + i] = row[i] }
            progress.missing -= 1
            return progress.missing == 0
        }
        if isLast { progress.wakeAll() }
    }

    /// Waits for the last row; the result is [sequences, columns], or nil if the last row is not
    /// there by `deadline`, or never will be.
    func result(before deadline: ContinuousClock.Instant) -> [Float]? {
        progress.wait(before: deadline) {
            $0.givenUp != nil ? .some(nil) : $0.take().map { .some($0) }
        }
            ?? nil
    }

    /// Says that its last row will never be there, and why.
    func giveUp(_ reason: InferenceError = .tooLate) {
        progress.withLock { $0.givenUp = reason }
        progress.wakeAll()
    }

    /// Why it was given up; nil if it was not.
    var givenUp: InferenceError? { progress.withLock { $0.givenUp } }
}

extension EmbeddingJob.Progress {
    /// The rows once they are all there.
    fileprivate mutating func take() -> [Float]? {
        guard missing == 0 else { return nil }
        var rows: [Float] = []
        swap(&rows, &values)
        return rows
    }
}
