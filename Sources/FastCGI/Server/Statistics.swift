import Synchronization

/// What a server has counted since it was made, and what it holds now.
public struct Statistics: Sendable, Equatable {
    /// Connections accepted.
    public var accepted = 0
    /// Connections refused for their user.
    public var refusedPeers = 0
    /// Requests handed to the handler.
    public var requests = 0
    /// Requests answered as busy.
    public var busyAnswers = 0
    /// Requests answered as busy because they had waited too long for a thread.
    public var lateAnswers = 0
    /// Requests dropped because their peers left while they waited for a thread.
    public var departures = 0
    /// Connections closed because the peer broke the protocol.
    public var brokenProtocols = 0
    /// Connections closed because the peer was too slow.
    public var timeouts = 0
    /// Pauses of accepting because of too few descriptors or too little memory.
    public var pauses = 0
    /// Connections that no thread works on, now.
    public var waiting = 0
    /// Requests queued or with the handler, now.
    public var inFlight = 0
    /// Connections open, now.
    public var connections = 0
    /// Bytes of requests held, now.
    public var held = 0
    /// Bytes of answers that wait for slow readers, now.
    public var unsent = 0
}

/// The counters behind `Statistics`.
final class Counters: Sendable {
    let accepted = Atomic<Int>(0)
    let refusedPeers = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let busyAnswers = Atomic<Int>(0)
    let lateAnswers = Atomic<Int>(0)
    let departures = Atomic<Int>(0)
    let brokenProtocols = Atomic<Int>(0)
    let timeouts = Atomic<Int>(0)
    let pauses = Atomic<Int>(0)

    /// Counts a fault of a peer under its kind.
    func count(_ fault: FastCGIError) {
        switch fault {
        case .brokenProtocol, .wrongLength: brokenProtocols.add(1, ordering: .relaxed)
        case .timedOut: timeouts.add(1, ordering: .relaxed)
        case .refusedPeer: refusedPeers.add(1, ordering: .relaxed)
        case .outOfDescriptors: pauses.add(1, ordering: .relaxed)
        default: break
        }
    }
}
