/// Tells the thread of an exchange whether the peer still waits for the answer.
public struct PeerWatch: Sendable {
    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    /// Whether the peer closed its side.
    ///
    /// Only for the exchange's own thread, and not after the answer.
    public var isGone: Bool { connection.isPeerGone }
}
