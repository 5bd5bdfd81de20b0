import Testing

@testable import denoiser

@Suite struct `Requests under way` {
    @Test func `hang when one has not ended in time, until it has`() {
        let activity = RequestActivity()
        let (first, second) = (
            activity.begin(endingBy: .now + .seconds(60)),
            activity.begin(endingBy: .now - .milliseconds(1))
        )
        #expect(activity.isStuck)
        activity.end(second)
        #expect(!activity.isStuck)
        activity.end(first)
        #expect(activity.count == 2)
    }

    @Test func `a retry waits twice as long each time, up to a minute`() {
        var retry: Retry?
        var pauses: [Duration] = []
        for _ in 0..<8 {
            let next = Retry(after: retry)
            pauses.append(next.pause)
            retry = next
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    }
}
