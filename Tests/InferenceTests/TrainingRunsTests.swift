import Testing

@testable import Inference

@Suite struct `Training runs` {
    @Test func `are as many at a time as may be, and one more once one has ended`() {
        let runs = TrainingRuns(most: 2)
        #expect(runs.begin() && runs.begin())
        #expect(!runs.begin())
        #expect(runs.statistics.underway == 2)
        runs.end(true)
        #expect(runs.begin())
        #expect(!runs.begin())
        runs.end(false)
        runs.end(false)
        let statistics = runs.statistics
        #expect(statistics.underway == 0 && statistics.succeeded == 1 && statistics.failed == 2)
    }
}
