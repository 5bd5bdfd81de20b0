import Encoder
import System
import TestSupport
import Testing

@testable import Inference

@Suite struct `The encoder's pool` {
    /// A pool around a small encoder; ended when it goes.
    private final class Pool {
        let pool: EncoderPool

        init(threads: Int = 2, waitingLimit: Int = 512) throws {
            pool = try withFolder { folder in
                try SmallEncoder.write(to: folder)
                return try EncoderPool(
                    encoder: loadEncoder(folder: folder), threadCount: threads, tokenBudget: 128,
                    waitingLimit: waitingLimit)
            }
        }

        deinit { pool.stop() }

        @discardableResult
        func embed(_ sequences: [[Int32]], for caller: Caller = Caller()) throws -> [Float] {
            try pool.embed(sequences, for: caller).values
        }
    }

    /// Sequences of these lengths, each of other pieces.
    private func sequences(_ lengths: [Int]) -> [[Int32]] {
        var random = SplitMix(state: 9)
        let pieces = UInt64(SmallEncoder.vocabulary.count)
        return lengths.map { length in (0..<length).map { _ in Int32(random.next() % pieces) } }
    }

    @Test func `gives each sequence its own row, whatever is computed beside it`() throws {
        let pool = try Pool()
        let sequences = sequences((0..<60).map { 1 + $0 * 7 % 64 })
        let together = try pool.embed(sequences)
        #expect(together.count == 60 * SmallEncoder.hidden)
        for (number, sequence) in sequences.enumerated() {
            let row = together[number * 384..<(number + 1) * 384]
            let alone = try pool.embed([sequence])
            #expect(largestDifference(Array(row), alone) <= 1e-6, "row \(number)")
        }
    }

    @Test func `refuses at once who would be one too many to wait`() throws {
        let pool = try Pool(waitingLimit: 0)
        #expect(throws: InferenceError.overloaded(retryAfter: 1)) {
            try pool.embed(sequences([3]))
        }
        // Training waits behind everyone and counts as nobody.
        let job = EmbeddingJob(sequences: sequences([3]), columns: 384, isBackground: true)
        try pool.pool.submit(job)
        #expect(job.result(before: .now + .seconds(20))?.count == 384)
    }

    @Test func `drops what is left of a job whose caller is late or has left`() throws {
        let pool = try Pool(threads: 1)
        let long = sequences(Array(repeating: 64, count: 3000))
        #expect(throws: InferenceError.tooLate) {
            try pool.embed(long, for: Caller(deadline: .now - .seconds(1)))
        }
        #expect(throws: InferenceError.callerLeft) {
            try pool.embed(long, for: Caller { true })
        }
        let left = pool.pool.statistics
        #expect(left.waitingJobs == 0 && left.waitingTokens == 0 && left.waitingSequences == 0)
        #expect(left.sequences < 3000)
    }

    @Test func `refuses a long request that could not be answered in its time`() throws {
        let pool = try Pool(threads: 1)
        let long = sequences(Array(repeating: 64, count: 400))
        // Nothing was measured yet, so nothing is refused.
        let now = ContinuousClock.now
        #expect(pool.pool.refusal(of: 1 << 40, before: now + .seconds(1)) == nil)
        _ = try pool.embed(long)
        let refusal = try #require(pool.pool.refusal(of: 1 << 40, before: now + .seconds(30)))
        #expect(refusal.tokens == 1 << 40 && refusal.seconds > 30)
        #expect(throws: InferenceError.self) {
            let rest = sequences(Array(repeating: 64, count: 4000))
            try pool.embed(rest, for: Caller(deadline: .now + .milliseconds(1)))
        }
    }

    @Test func `finishes what was queued before it ends`() throws {
        let pool = try Pool()
        let jobs = (0..<4).map { _ in
            EmbeddingJob(sequences: sequences([64, 64, 5]), columns: 384, isBackground: true)
        }
        for job in jobs { try pool.pool.submit(job) }
        pool.pool.stop()
        for job in jobs { #expect(job.result(before: .now)?.count == 3 * 384) }
    }

    @Test func `counts what it computed`() throws {
        let pool = try Pool()
        _ = try pool.embed(sequences([3, 4, 5]))
        _ = try pool.embed(sequences([6]))
        let statistics = pool.pool.statistics
        #expect(statistics.sequences == 4 && statistics.tokens == 18)
        #expect(statistics.waitingJobs == 0)
    }
}
