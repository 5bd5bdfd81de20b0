import Testing

@testable import Denoisers

@Suite struct `Pace of two threads` {
    /// The steps of the next `portions` that are run together, and all of them, at these paces.
    private func run(
        _ pace: inout TeamPace, portions: Int, together: Double, alone: Double
    ) -> (together: Int, all: Int) {
        var counts = (together: 0, all: 0)
        for _ in 0..<portions {
            let steps = pace.steps
            counts.all += steps
            if pace.together { counts.together += steps }
            pace.took(Double(steps) * (pace.together ? together : alone), steps: steps)
        }
        return counts
    }

    @Test func `together where that is faster, after a few steps alone`() {
        var pace = TeamPace()
        let counts = run(&pace, portions: 100, together: 1, alone: 2)
        #expect(counts.all - counts.together == 16)
    }

    @Test func `alone where that is faster, but for trials of a twentieth of the time`() {
        var pace = TeamPace()
        let counts = run(&pace, portions: 1000, together: 50, alone: 2)
        let alone = Double(counts.all - counts.together) * 2
        #expect(counts.together >= 32)
        // The first two trials are what it takes to know.
        #expect(Double(counts.together - 32) * 50 <= alone / 20)
    }

    @Test func `a bad stretch does not keep them apart for longer than a trial is worth`() {
        var pace = TeamPace()
        _ = run(&pace, portions: 50, together: 1, alone: 2)
        _ = run(&pace, portions: 1, together: 3, alone: 2)
        let counts = run(&pace, portions: 50, together: 1, alone: 2)
        #expect(counts.all - counts.together <= 20 * 16 * 3 / 2 + 64)
    }

    @Test func `back together when the other core is free again`() {
        var pace = TeamPace()
        _ = run(&pace, portions: 50, together: 50, alone: 2)
        _ = run(&pace, portions: 200, together: 1, alone: 2)
        let counts = run(&pace, portions: 50, together: 1, alone: 2)
        #expect(counts.together == counts.all)
    }
}
