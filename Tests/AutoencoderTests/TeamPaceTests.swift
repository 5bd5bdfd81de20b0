import Testing

@testable import Autoencoder

@Suite struct `Pace of two threads` {
    /// How many of the next `epochs` are run together at these paces.
    private func together(
        _ pace: inout TeamPace, epochs: Int, together: Double, alone: Double
    ) -> Int {
        (0..<epochs).count { _ in
            let isTogether = pace.together
            pace.took(isTogether ? together : alone)
            return isTogether
        }
    }

    @Test func `together where that is faster, after one epoch alone`() {
        var pace = TeamPace()
        #expect(together(&pace, epochs: 100, together: 1, alone: 2) == 99)
    }

    @Test func `alone where that is faster, but for a trial now and then`() {
        var pace = TeamPace()
        #expect(together(&pace, epochs: 170, together: 3, alone: 2) == 11)
    }

    @Test func `back together when the other core is free again`() {
        var pace = TeamPace()
        _ = together(&pace, epochs: 50, together: 3, alone: 2)
        #expect(together(&pace, epochs: 100, together: 1, alone: 2) >= 84)
    }
}
