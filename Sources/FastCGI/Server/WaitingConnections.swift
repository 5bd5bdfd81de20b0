import Glibc
import Synchronization

/// The connections no thread is busy with, under the eye of one poller.
///
/// Any thread puts a connection in; only the polling thread takes one out. Silent peers, idle
/// connections and peers slow to read wait here, at the price of a descriptor each.
final class WaitingConnections: Sendable {
    let limits: ServerLimits
    let counters = Counters()

    /// Told of every fault of a peer.
    let report: @Sendable (FastCGIError) -> Void

    let poller: Poller

    /// Turns of the polling thread.
    let turns = Atomic<Int>(0)
    private let isStopping = Atomic<Bool>(false)
    private let handedOut = Atomic<Int>(0)
    private let unsent = Atomic<Int>(0)
    private let lingering = Atomic<Int>(0)
    private let held = Atomic<Int>(0)
    private let connections = Mutex<[Int32: Connection]>([:])

    init(
        limits: ServerLimits, report: @escaping @Sendable (FastCGIError) -> Void
    ) throws(FastCGIError) {
        self.limits = limits
        self.report = report
        poller = try Poller()
    }

    // MARK: Stop

    var stops: Bool { isStopping.load(ordering: .acquiring) }

    /// Lets the polling thread know that the server is to stop; an atomic store and one write.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        poller.wake()
    }

    // MARK: Connections with a thread

    /// Connections queued for a thread or with one.
    var handedOutCount: Int { handedOut.load(ordering: .acquiring) }

    func handOut() { handedOut.add(1, ordering: .acquiringAndReleasing) }

    /// Ends what `handOut` began, after the connection was settled or closed.
    func handBack() {
        handedOut.subtract(1, ordering: .acquiringAndReleasing)
        if stops { poller.wake() }
    }

    /// Ends a connection whose peer left while its request waited for a thread.
    func leave(_ connection: Connection) {
        counters.departures.add(1, ordering: .relaxed)
        close(connection)
        handBack()
    }

    /// Counts what `connection` holds by now; whether all together is within the limit.
    func hold(_ connection: Connection) -> Bool {
        let more = connection.gate.heldCount - connection.heldBytes
        connection.heldBytes += more
        let now = held.add(more, ordering: .relaxed).newValue
        return more <= 0 || now <= limits.heldBytes
    }

    /// Counts what `connection` held as gone.
    private func release(_ connection: Connection) {
        held.subtract(connection.heldBytes, ordering: .relaxed)
        connection.heldBytes = 0
    }

    // MARK: Connections without

    var count: Int { connections.withLock { $0.count } }

    /// Puts a connection in, to be taken out at its next event or its deadline.
    func wait(_ connection: Connection) {
        let descriptor = connection.descriptor.number
        let interest: Poller.Interest = connection.stage == .room ? .roomOnce : .inputOnce
        connections.withLock { connections in
            // In the table first: the event may come at once.
            connections[descriptor] = connection
            do throws(FastCGIError) {
                if connection.isRegistered {
                    try poller.renew(descriptor, for: interest)
                } else {
                    try poller.add(descriptor, for: interest)
                    connection.isRegistered = true
                }
            } catch {
                // The kernel has no memory to watch it; with its last owner it closes.
                connections[descriptor] = nil
                forget(connection)
                release(connection)
            }
        }
    }

    /// Takes out the connection of a descriptor that has an event.
    func take(_ descriptor: Int32) -> Connection? {
        connections.withLock { $0.removeValue(forKey: descriptor) }
    }

    /// Takes out those for which `condition` holds.
    func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        connections.withLock { connections in
            let found = connections.values.filter(condition)
            for connection in found { connections[connection.descriptor.number] = nil }
            return found
        }
    }

    /// Takes out the one that has been without any request for longest, to make room.
    func takeIdlest() -> Connection? {
        connections.withLock { connections in
            let idle = connections.values.filter(\.isIdle)
            guard let idlest = idle.min(by: { $0.deadline < $1.deadline }) else { return nil }
            connections[idlest.descriptor.number] = nil
            return idlest
        }
    }

    // MARK: Answers

    /// Sends a prepared answer as far as it goes and puts the connection where it belongs next:
    /// waiting for room, for the next request, or for the peer to leave, or closed.
    ///
    /// A thread that `mayWait` stays with an answer that would be one too many to keep, for the stall time;
    /// half of the threads may, so that others have the rest.
    func settle(_ connection: Connection, mayWait: Bool = false) {
        do throws(FastCGIError) {
            if try !connection.flush() {
                guard try keep(connection, mayWait: mayWait) else { return }
            }
            forget(connection)
        } catch {
            close(connection, for: error == .connectionLost ? nil : error)
            return
        }
        if connection.gate.phase != .ended {
            // Closed at once, the peer might lose the answer for what it still sends.
            connection.finishSending()
            connection.gate.discardsBody = true
            _ = hold(connection)
            connection.stage = .leave
            connection.deadline = .now + limits.leaveTime
            wait(connection)
        } else if connection.staysOpen && !stops {
            connection.gate.reset()
            release(connection)
            connection.stage = .request
            connection.deadline = .now + limits.idleTime
            wait(connection)
        } else {
            close(connection)
        }
    }

    /// Keeps what is left of an answer until there is room for it, or stays until all is sent; whether that is so.
    private func keep(_ connection: Connection, mayWait: Bool) throws(FastCGIError) -> Bool {
        if mayWait && !hasRoom(for: connection) {
            let others = lingering.add(1, ordering: .relaxed).oldValue
            defer { lingering.subtract(1, ordering: .relaxed) }
            let latest = ContinuousClock.now + limits.stallTime
            guard others < max(limits.requestThreads / 2, 1) else { throw .timedOut(Self.unread) }
            repeat {
                guard latest > .now, connection.descriptor.wait(for: POLLOUT, until: latest) else {
                    throw .timedOut(Self.unread)
                }
                if try connection.flush() { return true }
            } while !hasRoom(for: connection)
        } else if !mayWait {
            // It was kept before, and is no more than then, or is one of our own that says we are busy.
            unsent.add(connection.outputCount - connection.keptBytes, ordering: .relaxed)
            connection.keptBytes = connection.outputCount
        }
        connection.deadline = .now + limits.sendTime
        connection.stage = .room
        wait(connection)
        return false
    }

    private static let unread = "an answer was not read in time"

    /// Counts what lies of an answer as kept, if that is within the limit.
    private func hasRoom(for connection: Connection) -> Bool {
        let count = connection.outputCount
        var now = unsent.load(ordering: .relaxed)
        while now + count <= limits.unsentBytes {
            let (isOurs, found) = unsent.weakCompareExchange(
                expected: now, desired: now + count, ordering: .relaxed)
            if isOurs {
                connection.keptBytes = count
                return true
            }
            now = found
        }
        return false
    }

    /// Ends a connection nobody waits for; the descriptor closes with its last owner.
    func close(_ connection: Connection, for fault: FastCGIError? = nil) {
        forget(connection)
        release(connection)
        connection.sever()
        guard let fault else { return }
        counters.count(fault)
        report(fault)
    }

    /// Counts the rest of an answer as kept no more.
    private func forget(_ connection: Connection) {
        unsent.subtract(connection.keptBytes, ordering: .relaxed)
        connection.keptBytes = 0
    }

    var statistics: Statistics {
        Statistics(
            accepted: counters.accepted.load(ordering: .relaxed),
            refusedPeers: counters.refusedPeers.load(ordering: .relaxed),
            requests: counters.requests.load(ordering: .relaxed),
            busyAnswers: counters.busyAnswers.load(ordering: .relaxed),
            lateAnswers: counters.lateAnswers.load(ordering: .relaxed),
            departures: counters.departures.load(ordering: .relaxed),
            brokenProtocols: counters.brokenProtocols.load(ordering: .relaxed),
            timeouts: counters.timeouts.load(ordering: .relaxed),
            pauses: counters.pauses.load(ordering: .relaxed),
            waiting: count, inFlight: handedOutCount, connections: count + handedOutCount,
            held: held.load(ordering: .relaxed), unsent: unsent.load(ordering: .relaxed))
    }
}
