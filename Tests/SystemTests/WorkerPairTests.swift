import Synchronization
import Testing

@testable import System

@Suite struct `A pair of workers` {
    /// How often each chunk ran, and whether one ran before the phase before was done.
    private final class Log: Sendable {
        let counts: Mutex<[[Int]]>
        let isEarly = Atomic(false)
        private let done: [Atomic<Int>.Box]

        init(chunks: [Int]) {
            counts = Mutex(chunks.map { Array(repeating: 0, count: $0) })
            done = chunks.map { _ in Atomic<Int>.Box() }
        }

        func run(phase: Int, chunk: Int) {
            let before = counts.withLock { counts in
                counts[phase][chunk] += 1
                return phase == 0 ? 0 : counts[phase - 1].count
            }
            if phase > 0, done[phase - 1].value.load(ordering: .acquiring) != before {
                isEarly.store(true, ordering: .relaxed)
            }
            done[phase].value.add(1, ordering: .acquiringAndReleasing)
        }
    }

    @Test func `runs every chunk once, and none before the phase before is done`() throws {
        let pair = try #require(WorkerPair())
        let chunks = (0..<200).map { [1, 2, 3, 8, 0, 17, 300][$0 % 7] }
        for _ in 0..<50 {
            let log = Log(chunks: chunks)
            let isRun = pair.run { worker in
                for (phase, count) in chunks.enumerated() {
                    worker.phase(count) { log.run(phase: phase, chunk: $0) }
                }
            }
            #expect(isRun)
            #expect(log.counts.withLock { $0.allSatisfy { $0.allSatisfy { $0 == 1 } } })
            let isEarly = log.isEarly.load(ordering: .relaxed)
            #expect(!isEarly)
        }
    }

    @Test(arguments: [0, 1, 255, 256, 1000])
    func `gives the results of any number of chunks in order`(count: Int) throws {
        let pair = try #require(WorkerPair())
        #expect(parallelMap(count, on: pair) { $0 * 3 } == (0..<count).map { $0 * 3 })
    }

    @Test func `serves one call at a time`() throws {
        let pair = try #require(WorkerPair())
        let nested = Mutex<[Bool]>([])
        _ = pair.run { worker in
            worker.phase(1) { _ in
                let isRun = pair.run { _ in }
                nested.withLock { $0.append(isRun) }
            }
        }
        #expect(nested.withLock { $0 } == [false])
    }

    @Test func `is one in a process`() throws {
        let pair = try #require(WorkerPair.shared)
        #expect(WorkerPair.shared === pair)
    }

    @Test func `lends no second thread to background work while foreground work runs`() throws {
        let pair = try #require(WorkerPair())
        let isRun = Mutex<[Bool]>([])
        _ = pair.run { worker in
            worker.phase(1) { _ in
                let ran = pair.run(inBackground: true) { _ in }
                isRun.withLock { $0.append(ran) }
            }
        }
        #expect(isRun.withLock { $0 } == [false])
        #expect(pair.run(inBackground: true) { _ in })
    }

    @Test func `foreground work takes the second thread away from background work`() throws {
        let pair = try #require(WorkerPair())
        let log = Mutex<[[Int]]>(Array(repeating: [], count: 40))
        let hasBegun = Semaphore()
        let mayEnd = Semaphore()
        let other = Mutex<SystemThread?>(nil)
        let isRun = pair.run(inBackground: true) { worker in
            let index = worker.index
            for phase in 0..<40 {
                worker.phase(2) { chunk in
                    log.withLock { $0[phase].append(index) }
                    guard phase == 20, chunk == 0 else { return }
                    // Holds the pair in the foreground until the background is done.
                    other.withLock {
                        $0 = try? SystemThread {
                            _ = pair.run { worker in
                                worker.phase(1) { _ in
                                    hasBegun.signal()
                                    mayEnd.wait()
                                }
                            }
                        }
                    }
                    hasBegun.wait()
                }
            }
        }
        mayEnd.signal()
        other.withLock { $0 }?.join()
        #expect(isRun)
        // Every chunk is done, from then on by the caller alone.
        let workers = log.withLock { $0 }
        #expect(workers.allSatisfy { $0.count == 2 })
        #expect(workers[21...].allSatisfy { $0 == [0, 0] }, "\(workers)")
    }

    @Test func `a thread that comes late finds its phases closed`() {
        let barrier = PhaseBarrier()
        var first = Worker(index: 0, barrier: barrier, after: 0)
        var late = Worker(index: 1, barrier: barrier, after: 0)
        var taken: [Int] = []
        first.phase(3) { taken.append($0) }
        first.phase(2) { taken.append($0) }
        late.phase(3) { taken.append($0 + 100) }
        late.phase(2) { taken.append($0 + 100) }
        #expect(taken == [0, 1, 2, 0, 1])
    }

    @Test func `the second thread takes chunks from the back`() {
        let barrier = PhaseBarrier()
        #expect(barrier.enter(1, chunks: 3, fromFront: false) == 2)
        #expect(barrier.enter(1, chunks: 3, fromFront: true) == 0)
        #expect(barrier.enter(3, chunks: 3, fromFront: true) == nil)
        #expect(barrier.next(fromFront: true) == 1)
        #expect(barrier.next(fromFront: false) == nil)
        #expect(barrier.next(fromFront: false) == nil)
        barrier.await(1, chunks: 3)
        #expect(barrier.enter(2, chunks: 1, fromFront: false) == 0)
        barrier.await(1, chunks: 3)
        #expect(barrier.number == 2)
    }

    @Test(arguments: [(10, 3, 1), (384, 8, 16), (30, 4, 16), (1, 2, 1)])
    func `chunks cover everything once`(n: Int, count: Int, unit: Int) {
        var next = 0
        for index in 0..<count {
            let range = chunk(index, of: count, in: n, unit: unit)
            #expect(range.lowerBound == next && range.lowerBound % unit == 0 || range.isEmpty)
            next = max(next, range.upperBound)
        }
        #expect(next == n)
    }
}

extension Atomic where Value == Int {
    /// One that an array can hold.
    fileprivate final class Box: Sendable { let value = Atomic<Int>(0) }
}
