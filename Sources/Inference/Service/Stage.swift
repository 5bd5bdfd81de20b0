/// A part of the work on a request, and how long it took.
public struct Stage: Sendable, Equatable {
    /// One word: "encode".
    public let name: String

    /// From its beginning to its end.
    public let duration: Duration

    public init(_ name: String, _ duration: Duration) {
        self.name = name
        self.duration = duration
    }
}
