import Testing

@testable import Inference

private let now = ContinuousClock.now

/// A pace of `rate` tokens a second that was measured just now.
private func pace(_ rate: Int) -> Pace {
    var pace = Pace(threads: 1)
    pace.note(512, at: now - .seconds(1), goesOn: true)
    pace.note(rate, at: now, goesOn: false)
    return pace
}

private func job(_ tokens: Int, seconds: Int) -> EmbeddingJob {
    EmbeddingJob(
        sequences: Array(repeating: Array(repeating: 1, count: 100), count: tokens / 100),
        columns: 1,
        isBackground: false, deadline: now + .seconds(seconds))
}

extension EmbeddingQueue {
    fileprivate func refusal(of tokens: Int, seconds: Int, at rate: Int) -> TooMuchWork? {
        refusal(of: tokens, before: now + .seconds(seconds), at: pace(rate), now: now)
    }
}

@Suite struct `Admission by work` {
    @Test func `the pace is the tokens of a second`() {
        #expect(pace(4000).tokensPerSecond == 4000)
        var changing = pace(4000)
        // The first batch may have had to wait for a disk.
        changing.note(1, at: now, goesOn: true)
        for turn in 1...10 {
            changing.note(3000, at: now + .seconds(3 * turn), goesOn: turn < 10)
        }
        #expect(abs(changing.tokensPerSecond - 1000) < 10)
        // Where no long job waits nothing is measured.
        changing.note(500_000, at: now + .seconds(31), goesOn: true)
        #expect(abs(changing.tokensPerSecond - 1000) < 10)
        // Nor from too little.
        changing.note(500, at: now + .seconds(32), goesOn: true)
        changing.note(10, at: now + .seconds(32), goesOn: false)
        #expect(abs(changing.tokensPerSecond - 1000) < 10)
    }

    @Test func `time in which no long job waits is not measured`() {
        var changing = pace(4000)
        changing.note(512, at: now, goesOn: true)
        changing.interrupt()
        changing.note(512, at: now + .seconds(600), goesOn: true)
        changing.note(4000, at: now + .seconds(601), goesOn: false)
        #expect(abs(changing.tokensPerSecond - 4000) < 10)
    }

    @Test func `a pace that was measured long ago refuses nobody`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(500, seconds: 30))
        let later = now + .seconds(60)
        for tokens in [100, 40_000] {
            #expect(
                queue.refusal(of: tokens, before: later + .seconds(1), at: pace(10), now: later)
                    == nil)
        }
    }

    @Test func `who could not be done in time is refused with the figures`() throws {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(20_000, seconds: 30))
        #expect(queue.refusal(of: 20_000, seconds: 30, at: 2000) == nil)
        let refusal = try #require(queue.refusal(of: 40_000, seconds: 30, at: 2000))
        #expect(refusal.ahead == 20_000)
        #expect(refusal.tokens == 40_000)
        #expect(abs(refusal.seconds - 30) < 0.01)
        #expect(!refusal.isTooLarge)
        #expect(try #require(queue.refusal(of: 80_000, seconds: 30, at: 2000)).isTooLarge)
    }

    @Test func `what counts is what is left, not how many wait`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(50_000, seconds: 30))
        #expect(queue.refusal(of: 12_000, seconds: 30, at: 2000) != nil)
        while queue.long.tokens > 10_000 { _ = queue.takeBatch(sharers: 1) }
        #expect(queue.refusal(of: 12_000, seconds: 30, at: 2000) == nil)
    }

    @Test func `nobody comes in who would make another late`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        queue.add(job(50_000, seconds: 30))
        // It would come first, and be done in 5 s; but the other has 5 s to spare and no more.
        #expect(queue.refusal(of: 9_000, seconds: 30, at: 2000) == nil)
        #expect(queue.refusal(of: 11_000, seconds: 30, at: 2000) != nil)
        // One that is late anyway keeps nobody out.
        var lost = EmbeddingQueue(tokenBudget: 512)
        lost.add(job(80_000, seconds: 30))
        #expect(lost.refusal(of: 11_000, seconds: 30, at: 2000) == nil)
    }

    @Test func `a short text comes in beside any long ones`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        for _ in 0..<10 { queue.add(job(50_000, seconds: 30)) }
        #expect(queue.refusal(of: 10, seconds: 30, at: 2000) == nil)
    }

    @Test func `what was not measured for long keeps nobody out of an empty queue`() {
        let queue = EmbeddingQueue(tokenBudget: 512)
        let deadline = now + .seconds(30)
        #expect(queue.refusal(of: 900_000, before: deadline, at: Pace(threads: 1), now: now) == nil)
        #expect(queue.refusal(of: 900_000, before: deadline, at: pace(2000), now: now) != nil)
        let later = now + .seconds(60)
        #expect(
            queue.refusal(of: 900_000, before: later + .seconds(30), at: pace(2000), now: later)
                == nil)
    }

    @Test func `a job that nothing was measured for is refused once its own work tells`() throws {
        for (rate, isRefused) in [(1_000, true), (3_000, false)] {
            var queue = EmbeddingQueue(tokenBudget: 512)
            let job = EmbeddingJob(
                sequences: Array(repeating: Array(repeating: 1, count: 100), count: 600),
                columns: 1, isBackground: false, deadline: .now + .seconds(30))
            queue.add(job, isMeasured: false)
            #expect(queue.takeTooLarge(at: Pace(threads: 1), now: now).isEmpty)
            var pace = Pace(threads: 1)
            let start = job.madeAt
            pace.note(512, at: start + .seconds(1), goesOn: true)
            pace.note(rate * 4, at: start + .seconds(5), goesOn: true)
            let found = queue.takeTooLarge(at: pace, now: start + .seconds(5))
            #expect(found.map(\.job.tokens) == (isRefused ? [60_000] : []))
            if isRefused {
                let work = try #require(found.first?.work)
                #expect(work.isTooLarge && abs(work.seconds - 60) < 1)
                #expect(queue.isEmpty)
            }
            // It is looked at once.
            #expect(queue.takeTooLarge(at: pace, now: start + .seconds(29)).isEmpty)
        }
    }

    @Test func `a job that nothing was measured for leaves nothing behind when it is done`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        weak var done: EmbeddingJob?
        do {
            let job = job(1_000, seconds: 30)
            done = job
            queue.add(job, isMeasured: false)
            while !queue.isEmpty { _ = queue.takeBatch(sharers: 1) }
        }
        #expect(done == nil)
    }

    @Test func `a job that is past hope is taken out before it keeps others waiting`() {
        var queue = EmbeddingQueue(tokenBudget: 512)
        let (lost, other) = (job(20_000, seconds: 4), job(30_000, seconds: 30))
        queue.add(lost)
        queue.add(other)
        let found = queue.takeHopeless(at: pace(2000), now: now)
        #expect(found.count == 1 && found.first === lost)
        #expect(queue.waiting == 1)
        #expect(queue.long.tokens == 30_000)
    }
}
