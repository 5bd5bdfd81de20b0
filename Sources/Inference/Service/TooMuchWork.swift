/// Why a request is refused before anything is computed: it could not be done in its time.
public struct TooMuchWork: Error, Sendable, Equatable {
    /// Tokens of the request; an estimate if it was not read yet.
    public let tokens: Int
    /// Tokens of others that are done before it.
    public let ahead: Int
    /// Seconds that both take, at the rate measured on this host.
    public let seconds: Double
    /// Seconds that the request may take, a little less than are left: estimates err.
    public let secondsLeft: Double

    /// Whether it would be too much even if it were alone.
    public var isTooLarge: Bool { secondsAlone > secondsLeft }

    /// Seconds that it takes alone.
    public var secondsAlone: Double { seconds * Double(tokens) / Double(max(tokens + ahead, 1)) }

    /// Seconds after which it may fit.
    public var retryAfter: Int { Int(min(max((seconds - secondsLeft).rounded(.up), 1), 60)) }

    public init(tokens: Int, ahead: Int, seconds: Double, secondsLeft: Double) {
        self.tokens = tokens
        self.ahead = ahead
        self.seconds = seconds
        self.secondsLeft = secondsLeft
    }
}
