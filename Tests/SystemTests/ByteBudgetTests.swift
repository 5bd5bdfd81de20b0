import Foundation
import Testing

@testable import System

@Suite struct `Byte budget` {
    @Test func `what is taken is free again once given back`() {
        let budget = ByteBudget(capacity: 100)
        #expect(budget.take(60, before: .now))
        #expect(budget.take(40, before: .now))
        #expect(!budget.take(1, before: .now))
        budget.giveBack(40)
        #expect(budget.take(40, before: .now))
        #expect(budget.usage.taken == 100)
        #expect(budget.usage.peak == 100)
    }

    @Test func `more than there is in all is refused without waiting`() {
        let budget = ByteBudget(capacity: 100)
        // A wait would outlast the test.
        #expect(!budget.take(101, before: .now + .seconds(3600)))
        #expect(!budget.take(.max, before: .now + .seconds(3600)))
    }

    @Test func `a request that waits is let in when another gives back`() throws {
        let budget = ByteBudget(capacity: 100)
        #expect(budget.take(100, before: .now))
        let isLetIn = Monitor<Bool?>(nil)
        let waiter = try SystemThread {
            let result = budget.take(50, before: .now + .seconds(60))
            isLetIn.withLock { $0 = result }
        }
        budget.giveBack(100)
        waiter.join()
        #expect(isLetIn.withLock { $0 } == true)
    }

    @Test func `a request that does not fit keeps none waiting that does`() throws {
        let budget = ByteBudget(capacity: 100)
        #expect(budget.take(50, before: .now))
        let waiter = try SystemThread { _ = budget.take(100, before: .now + .seconds(60)) }
        #expect(budget.take(50, before: .now))
        budget.giveBack(100)
        waiter.join()
        #expect(budget.usage.taken == 100)
    }

    @Test func `one more than may wait is refused at once`() {
        let budget = ByteBudget(capacity: 1, waitingLimit: 0)
        #expect(budget.take(1, before: .now))
        #expect(!budget.take(1, before: .now + .seconds(3600)))
    }

    @Test func `any number of threads together never take more than there is`() throws {
        let budget = ByteBudget(capacity: 1000)
        let threads = try (0..<8).map { number in
            try SystemThread {
                for round in 0..<2000 {
                    let bytes = 1 + (round * 7919 + number * 104_729) % 400
                    guard budget.take(bytes, before: .now + .seconds(60)) else { continue }
                    // Now and then held across a sleep, so that the others meet a smaller budget.
                    if round % 50 == 0 { usleep(100) }
                    budget.giveBack(bytes)
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(budget.usage.taken == 0)
        #expect(budget.usage.peak <= 1000)
        #expect(budget.usage.peak > 400)
    }
}
