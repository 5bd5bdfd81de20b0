import Testing

@testable import Inference

@Suite struct `Training runs` {
    @Test func `are as many at a time as may be, and one more once one has ended`() {
        let runs = TrainingRuns(most: 2)
        #expect(runs.begin() && runs.begin())
        #expect(!runs.begin())
        #expect(runs.statistics.underway == 2)
        runs.end(.live)
        #expect(runs.begin())
        #expect(!runs.begin())
        runs.end(.failed)
        runs.end(.failed)
        let statistics = runs.statistics
        #expect(statistics.underway == 0 && statistics.succeeded == 1 && statistics.failed == 2)
    }

    @Test func `that made a version which is not live count apart`() {
        let runs = TrainingRuns()
        #expect(runs.begin())
        runs.note(.adapting(step: 1, of: 2))
        runs.end(.kept)
        let statistics = runs.statistics
        #expect(statistics.kept == 1 && statistics.succeeded == 0 && statistics.failed == 0)
        #expect(statistics.progress == nil)
    }
}
