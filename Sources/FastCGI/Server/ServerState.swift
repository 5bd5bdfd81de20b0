import Glibc
import Synchronization

/// What the polling thread and the request threads share.
final class ServerState: Sendable {
    let limits: ServerLimits
    let counters = Counters()

    /// Gets every fault of a peer.
    let report: @Sendable (FastCGIError) -> Void

    let poller: Poller

    /// The connections that no thread works on.
    let table = ConnectionTable()

    /// Bytes of requests, while they are received and answered.
    let requestBytes: SharedBytes

    /// Bytes of answers that wait for their readers.
    let answerBytes: SharedBytes

    /// Turns of the polling thread.
    let turns = Atomic<Int>(0)

    private let stopFlag = Atomic<Bool>(false)
    private let requests = Atomic<Int>(0)
    /// Request threads that wait for a reader.
    private let waitingThreads = Atomic<Int>(0)

    init(
        limits: ServerLimits, report: @escaping @Sendable (FastCGIError) -> Void
    ) throws(FastCGIError) {
        self.limits = limits
        self.report = report
        poller = try Poller()
        requestBytes = SharedBytes(limit: limits.heldBytes)
        answerBytes = SharedBytes(limit: limits.unsentBytes)
    }

    // MARK: Stop

    var isStopping: Bool { stopFlag.load(ordering: .acquiring) }

    /// Tells the polling thread to stop; one atomic store and one write, fit for a signal handler.
    func stop() {
        stopFlag.store(true, ordering: .releasing)
        poller.wake()
    }

    // MARK: Requests

    /// Requests in the queue, among the held refusals or with a request thread.
    var requestsInFlight: Int { requests.load(ordering: .acquiring) }

    func beginRequest() { requests.add(1, ordering: .acquiringAndReleasing) }

    /// Ends what `beginRequest` began, after the connection was sent its answer or closed.
    func endRequest() {
        requests.subtract(1, ordering: .acquiringAndReleasing)
        if isStopping { poller.wake() }
    }

    /// Counts the bytes that a connection's request holds; whether all are within the limit.
    func countRequest(_ connection: Connection) -> Bool {
        requestBytes.set(&connection.requestBytes, to: connection.gate.heldCount)
    }

    // MARK: Answers

    /// Sends the prepared answer as far as the socket has room, and then does what comes next:
    /// waits for room, for the next request or for the peer to leave, or closes the connection.
    ///
    /// - Parameter mayWait: lets the calling thread wait for the reader if the limit for waiting
    ///   answers is reached. It waits for the stall time at most. Only half of the threads may wait
    ///   at a time.
    func sendAnswer(_ connection: Connection, mayWait: Bool = false) {
        do throws(FastCGIError) {
            if try !connection.flush() {
                guard try waitForRoom(connection, mayWait: mayWait) else { return }
            }
            answerBytes.set(&connection.answerBytes, to: 0)
        } catch {
            close(connection, for: error == .connectionLost ? nil : error)
            return
        }
        if connection.gate.phase != .ended {
            connection.awaitLeave(until: .now + limits.leaveTime)
            _ = countRequest(connection)
            wait(connection)
        } else if connection.staysOpen && !isStopping {
            connection.awaitNextRequest(until: .now + limits.idleTime)
            _ = countRequest(connection)
            wait(connection)
        } else {
            close(connection)
        }
    }

    /// Puts a connection with an unfinished answer into the table, or waits here until all is sent;
    /// true in the second case.
    private func waitForRoom(
        _ connection: Connection, mayWait: Bool
    ) throws(FastCGIError) -> Bool {
        if !mayWait {
            // Counted before and no larger now, or a short answer of the server itself: no limit
            // applies.
            answerBytes.set(&connection.answerBytes, to: connection.outputCount)
        } else if try !claimAnswer(connection) {
            return true
        }
        connection.awaitRoom(until: .now + limits.sendTime)
        wait(connection)
        return false
    }

    /// Counts an answer as waiting for its reader.
    ///
    /// Waits for room in the limit, and meanwhile sends; false if all is sent.
    private func claimAnswer(_ connection: Connection) throws(FastCGIError) -> Bool {
        func isCounted() -> Bool {
            answerBytes.claim(&connection.answerBytes, connection.outputCount)
        }
        if isCounted() { return true }
        let others = waitingThreads.add(1, ordering: .relaxed).oldValue
        defer { waitingThreads.subtract(1, ordering: .relaxed) }
        let latest = ContinuousClock.now + limits.stallTime
        guard others < max(limits.requestThreads / 2, 1) else { throw .timedOut(Self.unread) }
        repeat {
            guard latest > .now, connection.descriptor.wait(for: POLLOUT, until: latest) else {
                throw .timedOut(Self.unread)
            }
            if try connection.flush() { return false }
        } while !isCounted()
        return true
    }

    private static let unread = "an answer was not read in time"

    // MARK: Connections

    /// Puts a connection into the table; if the kernel has no memory to watch it, it closes.
    func wait(_ connection: Connection) {
        if !table.insert(connection, watchedBy: poller) { close(connection) }
    }

    /// Closes a connection; the descriptor closes with the last reference to it.
    func close(_ connection: Connection, for fault: FastCGIError? = nil) {
        answerBytes.set(&connection.answerBytes, to: 0)
        requestBytes.set(&connection.requestBytes, to: 0)
        connection.close()
        guard let fault else { return }
        counters.count(fault)
        report(fault)
    }

    /// Closes a connection whose peer left while its request waited for a thread.
    func closeDeparted(_ connection: Connection) {
        counters.departures.add(1, ordering: .relaxed)
        close(connection)
        endRequest()
    }

    var statistics: Statistics {
        let (waiting, inFlight) = (table.count, requestsInFlight)
        return Statistics(
            accepted: counters.accepted.load(ordering: .relaxed),
            refusedPeers: counters.refusedPeers.load(ordering: .relaxed),
            requests: counters.requests.load(ordering: .relaxed),
            busyAnswers: counters.busyAnswers.load(ordering: .relaxed),
            lateAnswers: counters.lateAnswers.load(ordering: .relaxed),
            departures: counters.departures.load(ordering: .relaxed),
            brokenProtocols: counters.brokenProtocols.load(ordering: .relaxed),
            timeouts: counters.timeouts.load(ordering: .relaxed),
            pauses: counters.pauses.load(ordering: .relaxed),
            waiting: waiting, inFlight: inFlight, connections: waiting + inFlight,
            held: requestBytes.count, unsent: answerBytes.count)
    }
}
