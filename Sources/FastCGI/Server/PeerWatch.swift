/// Tells the thread that has an exchange whether somebody still waits for the answer.
public struct PeerWatch: Sendable {
    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    /// Whether the peer closed its side; on the exchange's own thread, and not after its answer.
    public var isGone: Bool { connection.isPeerGone }
}
