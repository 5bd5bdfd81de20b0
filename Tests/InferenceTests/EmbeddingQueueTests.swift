import Testing
import System

@testable import Inference

private func job(_ count: Int, tokens: Int, background: Bool = false) -> EmbeddingJob {
    EmbeddingJob(
        sequences: Array(repeating: Array(repeating: 1, count: tokens), count: count), columns: 4,
        isBackground: background)
}

@Suite struct `Embedding queue` {
    @Test func `a short job is in the next batch however long the one before it is`() {
        var queue = EmbeddingQueue(tokenBudget: 200)
        let short = job(1, tokens: 5)
        queue.add(job(1000, tokens: 50))
        queue.add(short)
        #expect(queue.takeBatch(sharers: 1).items.contains { $0.job === short })
    }

    @Test func `background work waits for every other job and is all done in the end`() {
        var queue = EmbeddingQueue(tokenBudget: 100)
        let background = job(7, tokens: 60, background: true)
        queue.add(background)
        queue.add(job(3, tokens: 60))
        var order: [Bool] = []
        while !queue.isEmpty {
            order += queue.takeBatch(sharers: 1).items.map { $0.job === background }
        }
        #expect(order == Array(repeating: false, count: 3) + Array(repeating: true, count: 7))
    }

    @Test func `background work goes on beside others that never end`() {
        var queue = EmbeddingQueue(tokenBudget: 100)
        let background = job(6, tokens: 20, background: true)
        queue.add(background)
        var turns: [Int] = []
        for turn in 0..<60 {
            queue.add(job(1, tokens: 60))
            let batch = queue.takeBatch(sharers: 1).items
            if batch.contains(where: { $0.job === background }) {
                turns.append(turn)
                #expect(batch.count == 1, "as much as keeps nobody waiting for long")
            }
        }
        #expect(turns == [8, 17, 26, 35, 44, 53])
    }

    @Test func `a few sequences are split among idle threads`() {
        var queue = EmbeddingQueue(tokenBudget: 1000)
        queue.add(job(4, tokens: 10))
        #expect(queue.takeBatch(sharers: 2).items.count == 2)
        #expect(queue.takeBatch(sharers: 1).items.count == 2)
        #expect(queue.isEmpty)
    }

    @Test func `a job that nobody waits for is dropped, and others keep their turn`() {
        var queue = EmbeddingQueue(tokenBudget: 20)
        let jobs = (0..<3).map { _ in job(3, tokens: 10) }
        for job in jobs { queue.add(job) }
        #expect(queue.takeBatch(sharers: 1).items.allSatisfy { $0.job === jobs[0] })
        queue.remove(jobs[1])
        #expect(queue.sequences.foreground == 4)
        var left: [EmbeddingJob] = []
        while !queue.isEmpty { left += queue.takeBatch(sharers: 1).items.map(\.job) }
        #expect(left.count == 4)
        #expect(!left.contains { $0 === jobs[1] })
        // Removing what is not there changes nothing.
        queue.remove(jobs[1])
        #expect(queue.isEmpty)
    }

    @Test func `of long jobs that are too much together the first ends before the next begins`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        let jobs = (0..<3).map { _ in job(10, tokens: 256) }
        for job in jobs { queue.add(job) }
        var order: [Int] = []
        while !queue.isEmpty {
            for item in queue.takeBatch(sharers: 1).items {
                order.append(jobs.firstIndex { $0 === item.job } ?? -1)
            }
        }
        #expect(order == [0, 1, 2].flatMap { Array(repeating: $0, count: 10) })
    }

    @Test func `who has less to do comes before who came first`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        let (huge, large) = (job(100, tokens: 256), job(10, tokens: 256))
        queue.add(huge)
        _ = queue.takeBatch(sharers: 1)
        queue.add(large)
        let next = (0..<6).map { _ in queue.takeBatch(sharers: 1).items }
        #expect(next.prefix(5).joined().allSatisfy { $0.job === large })
        #expect(next[5].allSatisfy { $0.job === huge })
    }

    @Test func `long jobs go on beside short ones that never end, and have a fifth`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(1000, tokens: 256))
        var tokens = (short: 0, long: 0)
        for _ in 0..<100 {
            queue.add(job(4, tokens: 128))
            let batch = queue.takeBatch(sharers: 1)
            if batch.isLong { tokens.long += batch.tokens } else { tokens.short += batch.tokens }
        }
        let all = tokens.long + tokens.short
        #expect(all / 6...all / 4 ~= tokens.long)
    }

    @Test func `while short jobs come, what they may have to wait for is small`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(1000, tokens: 128))
        #expect(queue.takeBatch(sharers: 1).tokens == 512)
        queue.add(job(1, tokens: 8))
        #expect(queue.takeBatch(sharers: 1).tokens == 8)
        for _ in 0..<64 { #expect(queue.takeBatch(sharers: 1).tokens == 256) }
        #expect(queue.takeBatch(sharers: 1).tokens == 512)
    }

    @Test func `a short job is not passed by for ever by shorter ones`() {
        var queue = EmbeddingQueue(tokenBudget: 64)
        let patient = job(1, tokens: 300)
        queue.add(patient)
        var turns = 0
        var isTaken = false
        while !isTaken && turns < 100 {
            for _ in 0..<8 { queue.add(job(1, tokens: 8)) }
            isTaken = queue.takeBatch(sharers: 1).items.contains { $0.job === patient }
            turns += 1
        }
        #expect(turns <= 4)
    }

    @Test func `a result that is late is none`() {
        let job = job(1, tokens: 3)
        #expect(job.result(before: .now) == nil)
        job.finish(0, row: [1, 2, 3, 4].span)
        #expect(job.result(before: .now) == [1, 2, 3, 4])
    }

    @Test func `a job that is given up wakes who waits for it`() throws {
        let job = job(1, tokens: 3)
        let waiter = try SystemThread { #expect(job.result(before: .now + .seconds(60)) == nil) }
        let began = ContinuousClock.now
        job.giveUp()
        waiter.join()
        #expect(began.duration(to: .now) < .seconds(30))
        #expect(job.givenUp == .tooLate)
    }
}
