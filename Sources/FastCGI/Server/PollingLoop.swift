import Glibc
import Synchronization

/// The work of the polling thread: accepts connections, receives requests, finishes answers to slow
/// readers, and closes connections at their deadlines.
struct PollingLoop: ~Copyable {
    private let peers: PeerPolicy
    private let triage: Triage
    private let state: ServerState
    private let queue: HandoverQueue

    private var space = [UInt8](repeating: 0, count: 65_536)
    private var isAccepting = false
    private var acceptsAgainAt = ContinuousClock.now
    private var isPaused = false
    /// Whether the kernel had no memory to watch the listening socket, which is reported once.
    private var isUnwatched = false
    private var reportsRefusalAt = ContinuousClock.now
    private var stopsAt: ContinuousClock.Instant?
    private var expiresAt = ContinuousClock.now
    private var looksAt = ContinuousClock.now
    private var refusals = HeldRefusals()

    /// The most accepts in one turn, so that requests do not wait behind a flood of connections.
    private static let turn = 32

    /// The most reads from one peer in a turn, so that others do not wait for a peer that never
    /// pauses.
    private static let portions = 16

    /// The interval between checks of deadlines; this much delay does no harm.
    private static let watch = Duration.milliseconds(250)

    /// The interval between checks whether the peers of queued requests are still there.
    private static let look = Duration.milliseconds(100)

    /// The pause of accepting if there is no room.
    private static let pause = Duration.milliseconds(50)

    /// The time for the rest of a request that is being received when the server stops.
    private static let lastWords = Duration.seconds(1)

    init(
        peers: PeerPolicy, triage: Triage, state: ServerState,
        queue: HandoverQueue
    ) {
        self.peers = peers
        self.triage = triage
        self.state = state
        self.queue = queue
    }

    /// Serves `listener` until the server is told to stop and either no connection is left, or the
    /// stop time is over.
    mutating func run(_ listener: borrowing Listener) throws(FastCGIError) {
        while true {
            state.turns.add(1, ordering: .relaxed)
            if state.isStopping {
                let deadline = stopsAt ?? beginStop(listener)
                dismissIdle()
                if state.requestsInFlight == 0 && state.table.count == 0 { return }
                if deadline <= .now { return }
            } else if !isAccepting && acceptsAgainAt <= .now {
                try resumeAccepting(listener)
            }
            for descriptor in state.poller.wait(milliseconds: patience()) {
                if descriptor == listener.descriptor.number {
                    if !state.isStopping { try acceptAll(listener) }
                } else if let peer = state.table.take(descriptor) {
                    advance(peer)
                }
            }
            expire()
            lookAfterQueue()
            sendRefusals()
        }
    }

    /// Closes the connections that are left after the stop time; returns the number of requests and
    /// answers among them.
    mutating func abandon() -> Int {
        let left = state.table.takeAll { _ in true }
        let answers = left.count { $0.state == .sending }
        for peer in left { state.close(peer) }
        for peer in refusals.takeAll(where: { _ in true }) {
            state.close(peer)
            state.endRequest()
        }
        return answers + state.requestsInFlight
    }

    /// Milliseconds to wait for an event; without end if nothing can become due.
    private func patience() -> Int32 {
        if !isAccepting && stopsAt == nil { return acceptsAgainAt.pollTimeout }
        if let stopsAt { return min(stopsAt.pollTimeout, 20) }
        if let due = refusals.nextDue { return min(due, looksAt).pollTimeout }
        if queue.isWaitedFor { return looksAt.pollTimeout }
        return state.table.count == 0 && state.requestsInFlight == 0 ? -1 : 250
    }

    // MARK: Accepting

    /// Accepts the waiting connections; whether there may be more than one turn allows.
    @discardableResult
    private mutating func acceptAll(_ listener: borrowing Listener) throws(FastCGIError) -> Bool {
        for _ in 0..<Self.turn {
            guard hasRoom() else {
                pauseAccepting(listener)
                return false
            }
            do throws(FastCGIError) {
                guard let descriptor = try listener.accept() else { return false }
                isPaused = false
                if listener.isUnix { try peers.check(descriptor) }
                state.counters.accepted.add(1, ordering: .relaxed)
                let peer = Connection(
                    descriptor, parameterLimit: state.limits.parameterBytes,
                    deadline: .now + state.limits.headTime)
                advance(peer)
            } catch {
                switch error {
                case .outOfDescriptors:
                    // Once for each shortage, not at every attempt.
                    if !isPaused {
                        state.counters.count(error)
                        state.report(error)
                    }
                    isPaused = true
                    if let idlest = state.table.takeIdlest() { state.close(idlest) }
                    pauseAccepting(listener)
                    return false
                case .refusedPeer:
                    state.counters.count(error)
                    // A refused peer may try again at once, and would fill the log.
                    if reportsRefusalAt <= .now {
                        state.report(error)
                        reportsRefusalAt = .now + .seconds(1)
                    }
                default: throw error
                }
            }
        }
        return true
    }

    /// Whether one more connection may be open; closes an idle one if that is needed.
    private func hasRoom() -> Bool {
        if state.table.count + state.requestsInFlight < state.limits.connections { return true }
        guard let idlest = state.table.takeIdlest() else { return false }
        state.close(idlest)
        return true
    }

    /// Watches the listening socket again, or later if the kernel has no memory for that.
    private mutating func resumeAccepting(_ listener: borrowing Listener) throws(FastCGIError) {
        do throws(FastCGIError) {
            try state.poller.add(listener.descriptor.number, for: .input)
            isAccepting = true
            isUnwatched = false
        } catch {
            guard case .system(_, _, let code) = error, [ENOMEM, ENOSPC].contains(code) else {
                throw error
            }
            if !isUnwatched { state.report(error) }
            isUnwatched = true
            acceptsAgainAt = .now + Self.pause
        }
    }

    private mutating func pauseAccepting(_ listener: borrowing Listener) {
        state.poller.remove(listener.descriptor.number)
        isAccepting = false
        acceptsAgainAt = .now + Self.pause
    }

    // MARK: Connections

    /// Handles an event of a connection, which is then back in the table, ready for a thread, or
    /// closed.
    private mutating func advance(_ peer: Connection) {
        do throws(FastCGIError) {
            switch peer.state {
            case .receiving: try gather(peer)
            case .sending: state.sendAnswer(peer)
            case .leaving: try discard(peer)
            // None of these is in the table.
            case .ready, .answering, .closed: state.close(peer)
            }
        } catch {
            // A peer may leave between requests and after an answer.
            let mayLeave =
                error == .connectionLost && peer.gate.isUntouched || peer.state == .leaving
            state.close(peer, for: mayLeave ? nil : error)
        }
    }

    /// Drops what the peer sends behind its answer, until it has left.
    private mutating func discard(_ peer: Connection) throws(FastCGIError) {
        for _ in 0..<Self.portions {
            switch try peer.receive(through: &space) {
            case .something: continue
            case .nothing:
                state.wait(peer)
                return
            // A socket at its end always has an event.
            case .end:
                state.close(peer)
                return
            }
        }
        state.wait(peer)
    }

    /// Receives what has come; hands the request over once its body, or much of it, is there.
    private mutating func gather(_ peer: Connection) throws(FastCGIError) {
        for _ in 0..<Self.portions {
            let wasUntouched = peer.gate.isUntouched
            let phase = peer.gate.phase
            switch try peer.receive(through: &space, mayLeave: wasUntouched) {
            case .nothing:
                state.wait(peer)
                return
            case .end: throw .connectionLost
            case .something: break
            }
            guard state.countRequest(peer) else {
                refuse(peer)
                return
            }
            if wasUntouched { peer.deadline = .now + state.limits.headTime }
            if phase != .body && peer.gate.phase == .body {
                peer.deadline = .now + state.limits.bodyTime
            }
            let isGathered = peer.gate.body.count >= state.limits.gatheredBodyBytes
            if peer.gate.phase == .ended || isGathered {
                handOver(peer)
                return
            }
        }
        state.wait(peer)
    }

    /// Gives a request to a thread or to the queue, or refuses it.
    private mutating func handOver(_ peer: Connection) {
        let now = ContinuousClock.now
        let head = RequestHead(peer.gate)
        let errand = head.gathered > 0 ? triage.errand(head) : Errand(.bodiless)
        peer.becomeReady(for: errand, at: now)
        if errand.lane == .long,
            let answer = triage.refusal(head, errand, queue.size(in: .long, upTo: errand.size))
        {
            turnAway(peer, with: answer)
            return
        }
        state.beginRequest()
        if queue.push(peer) { return }
        state.endRequest()
        refuse(peer)
    }

    /// Drops the queued requests whose peers have left, and refuses those that waited too long.
    private mutating func lookAfterQueue() {
        let now = ContinuousClock.now
        guard looksAt <= now else { return }
        looksAt = now + Self.look
        for peer in refusals.takeAll(where: \.isPeerGone) { state.closeDeparted(peer) }
        guard queue.isWaitedFor else { return }
        for peer in queue.takeAll(where: \.isPeerGone) { state.closeDeparted(peer) }
        let oldest = now - (triage.queueTime?() ?? state.limits.queueTime)
        for peer in queue.takeAll(where: { $0.readyAt < oldest && $0.errand.lane != .form }) {
            state.counters.lateAnswers.add(1, ordering: .relaxed)
            refuse(peer, with: triage.busyAnswer(RequestHead(peer.gate)))
            state.endRequest()
        }
    }

    /// Refuses a request that has no chance.
    ///
    /// If there are many, the refusal is kept back for a while.
    private mutating func turnAway(_ peer: Connection, with answer: Answer) {
        let now = peer.readyAt
        let delay = refusals.delay(at: now)
        guard delay > .zero, !state.isStopping else { return refuse(peer, with: answer) }
        peer.gate.discardsBody = true
        _ = state.countRequest(peer)
        state.beginRequest()
        refusals.add(peer, answer, until: now + delay)
    }

    /// Sends the refusals that are due.
    private mutating func sendRefusals() {
        guard !refusals.isEmpty else { return }
        let latest = state.isStopping ? .now + HeldRefusals.longest : ContinuousClock.now
        for (peer, answer) in refusals.takeDue(at: latest) {
            refuse(peer, with: answer)
            state.endRequest()
        }
    }

    /// Refuses a request, of which at least the beginning was received, as busy.
    private func refuse(_ peer: Connection) {
        state.counters.busyAnswers.add(1, ordering: .relaxed)
        refuse(peer, with: triage.busyAnswer(RequestHead(peer.gate)))
    }

    private func refuse(_ peer: Connection, with answer: Answer) {
        let pairs = ParameterPairs(peer.gate.parameters[...])
        let isHead = pairs.contains {
            $0.name.elementsEqual("REQUEST_METHOD".utf8) && $0.value.elementsEqual("HEAD".utf8)
        }
        let isRead = peer.gate.phase == .ended
        peer.prepare(
            answer.records(id: peer.gate.requestID, withoutBody: isHead),
            staysOpen: isRead && peer.gate.keepsConnection && !peer.isOverfull)
        state.sendAnswer(peer)
    }

    /// Closes the connections whose deadlines are over.
    private mutating func expire() {
        let now = ContinuousClock.now
        if now < expiresAt { return }
        expiresAt = now + Self.watch
        for peer in state.table.takeAll(where: { $0.deadline <= now }) {
            let isIdle = peer.gate.isUntouched && peer.served > 0 || peer.state == .leaving
            state.close(peer, for: isIdle ? nil : .timedOut(Self.lateness(of: peer)))
        }
    }

    private static func lateness(of peer: Connection) -> String {
        switch (peer.state, peer.gate.phase) {
        case (.sending, _): "an answer was not read in time"
        case (_, .body): "the body did not come in time"
        case _ where peer.gate.isUntouched: "nothing was sent"
        default: "a request's head did not come in time"
        }
    }

    // MARK: Stop

    /// Accepts no more peers.
    ///
    /// Those that are connected are still served, and those that wait at a socket of our own.
    private mutating func beginStop(_ listener: borrowing Listener) -> ContinuousClock.Instant {
        let deadline = ContinuousClock.now + state.limits.stopTime
        stopsAt = deadline
        if isAccepting { pauseAccepting(listener) }
        if listener.isOwn {
            // The other processes that share an inherited socket serve the peers in its queue.
            listener.withdraw()
            // A Unix socket that is shut still hands out the peers in its queue and takes no
            // others. A TCP socket drops them.
            if listener.isUnix { listener.shut() }
            while (try? acceptAll(listener)) == true {}
            listener.shut()
        }
        return deadline
    }

    /// Closes connections without a request, and shortens the deadlines of the others.
    private func dismissIdle() {
        let latest = ContinuousClock.now + Self.lastWords
        let dismissed = state.table.takeAll { peer in
            if peer.state == .receiving { peer.deadline = min(peer.deadline, latest) }
            // A kept connection may have had a request since its last event.
            return peer.isIdle && !peer.hasInput
        }
        for peer in dismissed { state.close(peer) }
    }
}
