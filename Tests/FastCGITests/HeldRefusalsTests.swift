import Testing

@testable import FastCGI

private let now = ContinuousClock.now

@Suite struct `Refusals that are kept back` {
    @Test func `the first go out at once, the rest at a pace, none later than a second`() {
        var refusals = HeldRefusals()
        let delays = (0..<200).map { _ in refusals.delay(at: now) }
        #expect(delays[..<HeldRefusals.burst].allSatisfy { $0 == .zero })
        #expect(delays[HeldRefusals.burst] == HeldRefusals.interval)
        #expect(delays[HeldRefusals.burst + 9] == HeldRefusals.interval * 10)
        #expect(delays.max() == HeldRefusals.longest && delays.last == HeldRefusals.longest)
        #expect(delays == delays.sorted())
        // After a while nothing is left of that.
        #expect(refusals.delay(at: now + .seconds(3)) == .zero)
    }

    @Test func `seldom refusals never wait`() {
        var refusals = HeldRefusals()
        for turn in 0..<500 {
            #expect(refusals.delay(at: now + HeldRefusals.interval * turn) == .zero)
        }
    }
}
