/// The limits that a server sets its peers; the defaults suit a host with 512 MB.
public struct ServerLimits: Sendable {
    /// The most threads for requests with a body at a time.
    public var requestThreads = 16

    /// The most of these threads for requests that take long.
    public var longThreads = 8

    /// The most of these threads for forms.
    public var formThreads = 4

    /// The most requests of a lane that wait for a thread; further ones are answered as busy.
    public var queuedRequests = 64

    /// The longest wait for a thread, except for forms.
    public var queueTime = Duration.seconds(30)

    /// The most open connections; further ones wait in the kernel.
    public var connections = 512

    /// Bytes of one request's parameters, at most 131,072.
    public var parameterBytes = 65_536

    /// Bytes of a body that are received before a thread gets the request, so that a slow peer with
    /// a small body holds no thread.
    public var gatheredBodyBytes = 65_536

    /// The most bytes of all current requests in the server itself; a request beyond it is answered
    /// as busy.
    public var heldBytes = 12 << 20

    /// The most bytes of answers that wait for slow readers.
    ///
    /// Beyond it, half of the request threads wait for their readers, and further answers are cut
    /// off.
    public var unsentBytes = 32 << 20

    /// The most bytes of an unread body that are read and dropped to keep the connection.
    ///
    /// If there are more, it is closed.
    public var drainedBodyBytes = 64 << 20

    /// The time from accept or a request's first byte to the end of its parameters.
    public var headTime = Duration.seconds(10)

    /// The time from there to the end of its body.
    public var bodyTime = Duration.seconds(60)

    /// The time for the peer to make room for more of an answer.
    public var sendTime = Duration.seconds(60)

    /// How long a request thread may wait: in total for an answer's reader, per byte for a body.
    public var stallTime = Duration.seconds(5)

    /// The time between two requests on one connection.
    ///
    /// It is longer than nginx keeps a connection (60 s by default), so that nginx closes it and no
    /// request meets a closed one.
    public var idleTime = Duration.seconds(300)

    /// The time for the peer to read an answer that was sent before all of its request was read.
    public var leaveTime = Duration.seconds(2)

    /// The time for requests in flight when the server is told to stop.
    public var stopTime = Duration.seconds(10)

    /// The stack of a request thread, in bytes; only touched pages use memory.
    public var stackBytes = 1 << 20

    /// Threads that run the handler; one of them is for requests without a body.
    public var threadCount: Int { requestThreads + 1 }

    /// The most bytes that all peers together can make a server hold, without the handlers.
    ///
    /// Held bytes lie in arrays that may be twice as large.
    public var mostBytes: Int {
        let portion = 65_536
        return 2 * heldBytes + connections * 2048 + threadCount * (stackBytes + 8 * portion)
            + unsentBytes
    }

    public init() {}
}
