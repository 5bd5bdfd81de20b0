/// What long requests cost that were read only to be refused, and for how long none like them is
/// read.
///
/// How many tokens a request has is known once it is read. Refusing so late takes from the encoder
/// what those who are let in wait for.
struct Wariness {
    /// Bytes of the smallest such request.
    private var bytes = Int.max

    /// Why it was refused.
    private var reason: TooMuchWork?

    private var end: ContinuousClock.Instant?

    /// How much longer none is read than reading took: so small a share of a core goes into
    /// refusing.
    private static let factor = 25.0

    /// The longest that it lasts after one of them.
    private static let longest = 1.0

    /// Notes that reading a request of so many bytes took `seconds` and was in vain.
    mutating func note(
        _ bytes: Int, seconds: Double, reason: TooMuchWork, now: ContinuousClock.Instant
    ) {
        if !isOn(at: now) || bytes < self.bytes {
            self.bytes = bytes
            self.reason = reason
        }
        let more = Duration.seconds(min(seconds * Self.factor, Self.longest))
        end = min(max(end ?? now, now) + more, now + .seconds(Self.longest))
    }

    func isOn(at now: ContinuousClock.Instant) -> Bool { end.map { now < $0 } ?? false }

    /// Why one of so many bytes is not read, if it has no fewer than one that was read in vain.
    func refusal(ofBytes bytes: Int) -> TooMuchWork? { bytes < self.bytes ? nil : reason }
}
