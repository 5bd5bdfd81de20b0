import Glibc
import Synchronization
import System

/// Serves one listening socket: one thread polls, a pool of threads answers.
public final class Server: Sendable {
    /// How serving ended.
    public enum Outcome: Sendable, Equatable {
        /// Every request in flight was answered.
        case finished
        /// This many requests or answers were given up when the stop time was over.
        case abandoned(Int)
    }

    private let listener: Listener
    private let peers: PeerPolicy
    private let triage: Triage
    private let state: ServerState
    /// One for each thread, made early, because later there may be no free descriptors.
    private let requests: Mutex<[LibraryRequest]>

    /// A server for `listener`, serving nobody before `run`.
    ///
    /// - Parameters:
    ///   - listener: the socket, closed with the server.
    ///   - limits: the limits for peers.
    ///   - peers: the users that may connect over a Unix socket.
    ///   - triage: sorts requests into lines.
    ///   - report: gets every fault of a peer, on the thread that met it.
    /// - Throws: `unfitLibrary` or `system`.
    public init(
        _ listener: consuming Listener, limits: ServerLimits = ServerLimits(),
        peers: PeerPolicy = PeerPolicy(), triage: Triage = Triage(),
        report: @escaping @Sendable (FastCGIError) -> Void = { _ in }
    ) throws(FastCGIError) {
        precondition(limits.requestThreads > 0, "\(limits.requestThreads) request threads")
        precondition(limits.connections > 0, "\(limits.connections) connections")
        precondition(
            limits.parameterBytes <= LibraryRequest.longestParameters,
            "\(limits.parameterBytes) bytes of parameters")
        try Library.prepare()
        var peers = peers
        if let owner = listener.fileOwner { peers.inherent.insert(owner) }
        self.listener = listener
        self.peers = peers
        self.triage = triage
        state = try ServerState(limits: limits, report: report)
        var requests: [LibraryRequest] = []
        for _ in 0..<limits.threadCount { requests.append(try LibraryRequest()) }
        self.requests = Mutex(requests)
    }

    /// The source of the socket.
    public var origin: Listener.Origin { listener.origin }

    /// The port of a TCP socket; nil on a Unix socket.
    public var port: Int? { listener.port }

    /// The counts so far.
    public var statistics: Statistics { state.statistics }

    /// Turns of the polling loop so far.
    ///
    /// After `nudge`, one more shows that the loop does not hang.
    public var turns: Int { state.turns.load(ordering: .relaxed) }

    /// Makes the polling loop turn once more, even if nothing happens.
    public func nudge() { state.poller.wake() }

    /// Ends `run`: no more requests are accepted, those in flight are answered.
    ///
    /// Safe on any thread and in a signal handler.
    public func stop() { state.stop() }

    /// Serves until `stop`, calling `handler` on a request thread for each request.
    ///
    /// The calling thread polls meanwhile, with all signals blocked. A server runs only once.
    ///
    /// - Parameter started: called once all threads of the server run.
    ///
    /// - Throws: `system` if threads cannot start or the listening socket fails.
    public func run(
        started: () -> Void = {}, handler: @escaping @Sendable (consuming Exchange) -> Void
    ) throws(FastCGIError) -> Outcome {
        let mask = SignalMask.blockAll()
        defer { mask.restore() }
        let queue = HandoverQueue(state.limits)
        var threads: [SystemThread] = []
        do throws(FastCGIError) {
            for _ in 0..<state.limits.threadCount {
                threads.append(try startThread(queue, handler))
            }
            started()
            var loop = PollingLoop(
                peers: peers, triage: triage, state: state, queue: queue
            )
            try loop.run(listener)
            let abandoned = loop.abandon()
            abandoned > 0 ? drop(queue) : queue.close()
            for thread in threads { abandoned > 0 ? thread.detach() : thread.join() }
            return abandoned > 0 ? .abandoned(abandoned) : .finished
        } catch {
            drop(queue)
            for thread in threads { thread.detach() }
            throw error
        }
    }

    /// Ends the connections in the queue, and the queue.
    private func drop(_ queue: HandoverQueue) {
        for connection in queue.abandon() { state.close(connection) }
    }

    /// Starts one thread that answers requests from the queue until it closes.
    private func startThread(
        _ queue: HandoverQueue, _ handler: @escaping @Sendable (consuming Exchange) -> Void
    ) throws(FastCGIError) -> SystemThread {
        let made = requests.withLock { $0.popLast() }
        let first = if let made { made } else { try LibraryRequest() }
        return try serviceThread(stackBytes: state.limits.stackBytes) { [state] in
            var library = first
            let seat = HandoverQueue.Seat()
            var done: Errand.Lane?
            while let connection = queue.pop(at: seat, after: done) {
                done = connection.errand.lane
                // Skipped for a request that has just come: the check is a system call.
                if connection.readyAt + .milliseconds(1) < .now, connection.isPeerGone {
                    state.closeDeparted(connection)
                    continue
                }
                do throws(FastCGIError) {
                    // A new one if a handler kept its exchange for later.
                    if !library.isFree { library = try LibraryRequest() }
                    let exchange = try Exchange(connection, library: library, state: state)
                    state.counters.requests.add(1, ordering: .relaxed)
                    handler(exchange)
                } catch {
                    state.close(connection, for: error)
                    state.endRequest()
                }
            }
        }
    }
}

/// Starts a thread of the server.
func serviceThread(
    stackBytes: Int, _ body: @escaping @Sendable () -> Void
) throws(FastCGIError) -> SystemThread {
    do throws(ThreadRefusal) {
        return try SystemThread(stackBytes: stackBytes, body)
    } catch {
        throw .system(call: "pthread_create", subject: "a service thread", code: error.code)
    }
}
