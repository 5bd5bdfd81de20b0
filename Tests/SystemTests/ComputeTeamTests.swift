import Synchronization
import Testing

@testable import System

@Suite struct `A team of two threads` {
    /// What pieces did: how often each ran, and whether one ran before the stage before was done.
    private final class Log: Sendable {
        let counts: Mutex<[[Int]]>
        let isEarly = Atomic(false)
        private let done: [Atomic<Int>.Box]

        init(pieces: [Int]) {
            counts = Mutex(pieces.map { Array(repeating: 0, count: $0) })
            done = pieces.map { _ in Atomic<Int>.Box() }
        }

        func run(stage: Int, piece: Int) {
            let before = counts.withLock { counts in
                counts[stage][piece] += 1
                return stage == 0 ? 0 : counts[stage - 1].count
            }
            if stage > 0, done[stage - 1].value.load(ordering: .acquiring) != before {
                isEarly.store(true, ordering: .relaxed)
            }
            done[stage].value.add(1, ordering: .acquiringAndReleasing)
        }
    }

    @Test func `runs every piece once, and none before the stage before is done`() throws {
        let team = try #require(ComputeTeam())
        let pieces = (0..<200).map { [1, 2, 3, 8, 0, 17, 300][$0 % 7] }
        for _ in 0..<50 {
            let log = Log(pieces: pieces)
            let isRun = team.run { share in
                for (stage, count) in pieces.enumerated() {
                    share.stage(count) { log.run(stage: stage, piece: $0) }
                }
            }
            #expect(isRun)
            #expect(log.counts.withLock { $0.allSatisfy { $0.allSatisfy { $0 == 1 } } })
            let isEarly = log.isEarly.load(ordering: .relaxed)
            #expect(!isEarly)
        }
    }

    @Test(arguments: [0, 1, 255, 256, 1000])
    func `gives the results of any number of pieces in order`(count: Int) throws {
        let team = try #require(ComputeTeam())
        #expect(inPieces(count, team) { $0 * 3 } == (0..<count).map { $0 * 3 })
    }

    @Test func `serves one call at a time`() throws {
        let team = try #require(ComputeTeam())
        let nested = Mutex<[Bool]>([])
        _ = team.run { share in
            share.stage(1) { _ in
                let isRun = team.run { _ in }
                nested.withLock { $0.append(isRun) }
            }
        }
        #expect(nested.withLock { $0 } == [false])
    }

    @Test func `a thread that comes late finds its stages closed`() {
        let stages = Stages()
        var first = Share(index: 0, stages: stages, after: 0)
        var late = Share(index: 1, stages: stages, after: 0)
        var taken: [Int] = []
        first.stage(3) { taken.append($0) }
        first.stage(2) { taken.append($0) }
        late.stage(3) { taken.append($0 + 100) }
        late.stage(2) { taken.append($0 + 100) }
        #expect(taken == [0, 1, 2, 0, 1])
    }

    @Test func `the second thread takes pieces from the back`() {
        let stages = Stages()
        #expect(stages.enter(1, pieces: 3, fromFront: false) == 2)
        #expect(stages.enter(1, pieces: 3, fromFront: true) == 0)
        #expect(stages.enter(3, pieces: 3, fromFront: true) == nil)
        #expect(stages.next(fromFront: true) == 1)
        #expect(stages.next(fromFront: false) == nil)
        #expect(stages.next(fromFront: false) == nil)
        stages.await(1, pieces: 3)
        #expect(stages.enter(2, pieces: 1, fromFront: false) == 0)
        stages.await(1, pieces: 3)
        #expect(stages.number == 2)
    }

    @Test(arguments: [(10, 3, 1), (384, 8, 16), (30, 4, 16), (1, 2, 1)])
    func `parts cover everything once`(n: Int, count: Int, unit: Int) {
        var next = 0
        for index in 0..<count {
            let range = part(index, of: count, n, in: unit)
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
