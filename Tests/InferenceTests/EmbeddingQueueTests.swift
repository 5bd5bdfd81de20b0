import Testing

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
        #expect(queue.takeBatch(sharers: 1).contains { $0.job === short })
    }

    @Test func `background work waits for every other job and is all done in the end`() {
        var queue = EmbeddingQueue(tokenBudget: 100)
        let background = job(7, tokens: 60, background: true)
        queue.add(background)
        queue.add(job(3, tokens: 60))
        var order: [Bool] = []
        while !queue.isEmpty { order += queue.takeBatch(sharers: 1).map { $0.job === background } }
        #expect(order == Array(repeating: false, count: 3) + Array(repeating: true, count: 7))
    }

    @Test func `background work goes on beside others that never end`() {
        var queue = EmbeddingQueue(tokenBudget: 100)
        let background = job(6, tokens: 20, background: true)
        queue.add(background)
        var turns: [Int] = []
        for turn in 0..<60 {
            queue.add(job(1, tokens: 60))
            let batch = queue.takeBatch(sharers: 1)
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
        #expect(queue.takeBatch(sharers: 2).count == 2)
        #expect(queue.takeBatch(sharers: 1).count == 2)
        #expect(queue.isEmpty)
    }

    @Test func `a job that nobody waits for is dropped, and others keep their turn`() {
        var queue = EmbeddingQueue(tokenBudget: 20)
        let jobs = (0..<3).map { _ in job(3, tokens: 10) }
        for job in jobs { queue.add(job) }
        #expect(queue.takeBatch(sharers: 1).map { $0.job === jobs[1] } == [false, true])
        queue.remove(jobs[1])
        #expect(queue.sequences.foreground == 5)
        var left: [EmbeddingJob] = []
        while !queue.isEmpty { left += queue.takeBatch(sharers: 1).map(\.job) }
        #expect(left.count == 5)
        #expect(!left.contains { $0 === jobs[1] })
        // Removing what is not there changes nothing.
        queue.remove(jobs[1])
        #expect(queue.isEmpty)
    }

    @Test func `a result that is late is none`() {
        let job = job(1, tokens: 3)
        #expect(job.result(before: .now) == nil)
        job.finish(0, row: [1, 2, 3, 4].span)
        #expect(job.result(before: .now) == [1, 2, 3, 4])
    }
}
