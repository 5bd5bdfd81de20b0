/// The party that waits for an answer: until when, and whether it still waits.
public struct Caller: Sendable {
    /// When an answer would come too late; nil if never.
    public var deadline: ContinuousClock.Instant?

    /// The length of the request in bytes, from which later ones are estimated; nil if it has none.
    public var requestBytes: Int?

    /// When somebody began to read the request.
    public let began = ContinuousClock.now

    /// Whether no one would read an answer; costs a system call.
    public var hasLeft: @Sendable () -> Bool

    /// How often a wait checks whether the caller has left.
    package static let watch = Duration.milliseconds(100)

    /// A caller that waits until `deadline`.
    public init(
        deadline: ContinuousClock.Instant? = nil,
        hasLeft: @escaping @Sendable () -> Bool = { false }
    ) {
        self.deadline = deadline
        self.hasLeft = hasLeft
    }

    /// Whether it is later than the caller waits.
    package var isLate: Bool { deadline.map { $0 <= .now } ?? false }

    /// When to check again whether the caller has left.
    package var nextLook: ContinuousClock.Instant {
        let look = ContinuousClock.now + Self.watch
        return deadline.map { min($0, look) } ?? look
    }
}
