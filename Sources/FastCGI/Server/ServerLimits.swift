/// What a server allows its peers; the defaults suit a host with 512 MB.
public struct ServerLimits: Sendable {
    /// Threads that requests with a body may hold at a time.
    public var requestThreads = 16

    /// How many of these requests may hold that take long.
    public var longThreads = 8

    /// How many of these forms may hold.
    public var formThreads = 4

    /// Requests of a lane that may wait for a thread before others are answered as busy.
    public var queuedRequests = 64

    /// How long a request may wait for a thread; not forms.
    public var queueTime = Duration.seconds(30)

    /// Connections open at a time; more wait in the kernel.
    public var connections = 512

    /// Bytes of one request's parameters, at most 131,072.
    public var parameterBytes = 65_536

    /// Bytes of a body gathered before a thread gets the request, so that a slow peer with a
    /// small body holds none.
    public var gatheredBodyBytes = 65_536

    /// Bytes of all requests being gathered or answered that the server itself holds; who would
    /// exceed it is answered as busy.
    public var heldBytes = 12 << 20

    /// Bytes of answers kept for peers slow to read; beyond, half of the request threads wait for them, and
    /// further answers are cut off.
    public var unsentBytes = 32 << 20

    /// Bytes of an unread body that are read and dropped to keep the connection in order; behind
    /// more, it is closed.
    public var drainedBodyBytes = 64 << 20

    /// From accept or a request's first byte to the end of its parameters.
    public var headTime = Duration.seconds(10)

    /// From there to the end of its body.
    public var bodyTime = Duration.seconds(60)

    /// For the peer to make room for more of an answer.
    public var sendTime = Duration.seconds(60)

    /// For all of an answer, while a request thread waits for that; and for the next byte of a body.
    public var stallTime = Duration.seconds(5)

    /// Between two requests on one connection; longer than nginx keeps it (60 s by itself), so that it is
    /// nginx who closes and no request meets a closed connection.
    public var idleTime = Duration.seconds(300)

    /// For the peer to take an answer that came before all of its request was read.
    public var leaveTime = Duration.seconds(2)

    /// For requests in flight once the server is told to stop.
    public var stopTime = Duration.seconds(10)

    /// The stack of a request thread, in bytes; touched pages count, not this.
    public var stackBytes = 1 << 20

    /// Threads that run the handler: one is left for requests without a body.
    public var threadCount: Int { requestThreads + 1 }

    /// Bytes all peers together can make a server hold, besides what handlers do.
    ///
    /// What is held lies in arrays that may be twice as large.
    public var mostBytes: Int {
        let portion = 65_536
        return 2 * heldBytes + connections * 2048 + threadCount * (stackBytes + 8 * portion)
            + unsentBytes
    }

    public init() {}
}
