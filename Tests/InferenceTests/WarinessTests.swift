import Testing

@testable import Inference

private let now = ContinuousClock.now
private let reason = TooMuchWork(tokens: 1000, ahead: 5000, seconds: 60, secondsLeft: 30)

@Suite struct `Requests that are read in vain` {
    @Test func `after one, none of its size or larger is read for a while`() {
        var wariness = Wariness()
        #expect(!wariness.isOn(at: now))
        wariness.note(10_000, seconds: 0.01, reason: reason, now: now)
        #expect(wariness.isOn(at: now + .milliseconds(240)))
        #expect(!wariness.isOn(at: now + .milliseconds(260)))
        #expect(wariness.refusal(ofBytes: 10_000) == reason)
        #expect(wariness.refusal(ofBytes: 1_000_000) == reason)
        #expect(wariness.refusal(ofBytes: 9_999) == nil)
    }

    @Test func `it never lasts longer than a second after the last one`() {
        var wariness = Wariness()
        for _ in 0..<20 { wariness.note(10_000, seconds: 10, reason: reason, now: now) }
        #expect(wariness.isOn(at: now + .milliseconds(990)))
        #expect(!wariness.isOn(at: now + .milliseconds(1010)))
    }

    @Test func `the smallest counts, until it is over`() {
        var wariness = Wariness()
        wariness.note(10_000, seconds: 0.01, reason: reason, now: now)
        wariness.note(500, seconds: 0.01, reason: reason, now: now)
        wariness.note(20_000, seconds: 0.01, reason: reason, now: now)
        #expect(wariness.refusal(ofBytes: 500) != nil)
        wariness.note(20_000, seconds: 0.01, reason: reason, now: now + .seconds(5))
        #expect(wariness.refusal(ofBytes: 500) == nil)
    }
}
