import Glibc
import Synchronization

/// The polling thread's work: accepts, gathers requests, finishes answers to slow readers, and
/// gives up on those who take too long.
struct PollingLoop: ~Copyable {
    private let peers: PeerPolicy
    private let busyAnswer: Answer
    private let triage: Triage
    private let waiting: WaitingConnections
    private let queue: HandoverQueue

    private var space = [UInt8](repeating: 0, count: 65_536)
    private var isAccepting = false
    private var acceptsAgainAt = ContinuousClock.now
    private var isPaused = false
    /// Whether the kernel had no room to watch the listening socket, which is said once.
    private var isUnwatched = false
    private var reportsRefusalAt = ContinuousClock.now
    private var stopsAt: ContinuousClock.Instant?
    private var expiresAt = ContinuousClock.now
    private var looksAt = ContinuousClock.now
    private var refusals = HeldRefusals()

    /// Accepts in one turn, so that a flood of connections does not keep requests waiting.
    private static let turn = 32

    /// Portions taken from one peer in a turn, so that one who never pauses keeps nobody waiting.
    private static let portions = 16

    /// How often deadlines are looked at; nobody minds one this late.
    private static let watch = Duration.milliseconds(250)

    /// How often to look whether those still are there who wait for a thread.
    private static let look = Duration.milliseconds(100)

    /// How long accepting pauses where there is no room.
    private static let pause = Duration.milliseconds(50)

    /// What is left of a request on its way when we stop must come within this.
    private static let lastWords = Duration.seconds(1)

    init(
        peers: PeerPolicy, busyAnswer: Answer, triage: Triage, waiting: WaitingConnections,
        queue: HandoverQueue
    ) {
        self.peers = peers
        self.busyAnswer = busyAnswer
        self.triage = triage
        self.waiting = waiting
        self.queue = queue
    }

    /// Serves `listener` until the server is told to stop and nothing is left, or the stop time is
    /// over.
    mutating func run(_ listener: borrowing Listener) throws(FastCGIError) {
        while true {
            waiting.turns.add(1, ordering: .relaxed)
            if waiting.stops {
                let deadline = stopsAt ?? beginStop(listener)
                dismissIdle()
                if waiting.handedOutCount == 0 && waiting.count == 0 { return }
                if deadline <= .now { return }
            } else if !isAccepting && acceptsAgainAt <= .now {
                try resumeAccepting(listener)
            }
            for descriptor in waiting.poller.wait(milliseconds: patience()) {
                if descriptor == listener.descriptor.number {
                    if !waiting.stops { try acceptAll(listener) }
                } else if let peer = waiting.take(descriptor) {
                    advance(peer)
                }
            }
            expire()
            lookAfterQueue()
            sendRefusals()
        }
    }

    /// Severs what is left after the stop time; returns how many requests and answers that were.
    mutating func abandon() -> Int {
        let left = waiting.takeAll { _ in true }
        for peer in left { waiting.close(peer) }
        for peer in refusals.takeAll(where: { _ in true }) {
            waiting.close(peer)
            waiting.handBack()
        }
        return left.count { $0.stage == .room } + waiting.handedOutCount
    }

    /// Milliseconds to wait for an event: for ever where nothing can fall due.
    private func patience() -> Int32 {
        if !isAccepting && stopsAt == nil { return acceptsAgainAt.pollTimeout }
        if let stopsAt { return min(stopsAt.pollTimeout, 20) }
        if let due = refusals.nextDue { return min(due, looksAt).pollTimeout }
        if queue.isWaitedFor { return looksAt.pollTimeout }
        return waiting.count == 0 && waiting.handedOutCount == 0 ? -1 : 250
    }

    // MARK: Accepting

    /// Accepts whoever waits; whether more may be there than one turn allows.
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
                waiting.counters.accepted.add(1, ordering: .relaxed)
                let peer = Connection(
                    descriptor, parameterLimit: waiting.limits.parameterBytes,
                    deadline: .now + waiting.limits.headTime)
                advance(peer)
            } catch {
                switch error {
                case .outOfDescriptors:
                    // Once for each shortage, not twenty times a second.
                    if !isPaused {
                        waiting.counters.count(error)
                        waiting.report(error)
                    }
                    isPaused = true
                    if let idlest = waiting.takeIdlest() { waiting.close(idlest) }
                    pauseAccepting(listener)
                    return false
                case .refusedPeer:
                    waiting.counters.count(error)
                    // Whoever is refused may try again without a pause, and would fill the log.
                    if reportsRefusalAt <= .now {
                        waiting.report(error)
                        reportsRefusalAt = .now + .seconds(1)
                    }
                default: throw error
                }
            }
        }
        return true
    }

    /// Whether one more connection may be open; closes an idle one to make it so.
    private func hasRoom() -> Bool {
        if waiting.count + waiting.handedOutCount < waiting.limits.connections { return true }
        guard let idlest = waiting.takeIdlest() else { return false }
        waiting.close(idlest)
        return true
    }

    /// Watches the listening socket again; where the kernel has no room to, after another pause.
    private mutating func resumeAccepting(_ listener: borrowing Listener) throws(FastCGIError) {
        do throws(FastCGIError) {
            try waiting.poller.add(listener.descriptor.number, for: .input)
            isAccepting = true
            isUnwatched = false
        } catch {
            guard case .system(_, _, let code) = error, [ENOMEM, ENOSPC].contains(code) else {
                throw error
            }
            if !isUnwatched { waiting.report(error) }
            isUnwatched = true
            acceptsAgainAt = .now + Self.pause
        }
    }

    private mutating func pauseAccepting(_ listener: borrowing Listener) {
        waiting.poller.remove(listener.descriptor.number)
        isAccepting = false
        acceptsAgainAt = .now + Self.pause
    }

    // MARK: Connections

    /// Takes a connection one step on; it waits again, has a thread, or is closed afterwards.
    private mutating func advance(_ peer: Connection) {
        do throws(FastCGIError) {
            switch peer.stage {
            case .request: try gather(peer)
            case .room: waiting.settle(peer)
            case .leave:
                peer.gate.discardsBody = true
                try discard(peer)
            }
        } catch {
            // One that leaves between requests, or after an answer, does as it may.
            let isGoing = error == .connectionLost && peer.gate.isUntouched || peer.stage == .leave
            waiting.close(peer, for: isGoing ? nil : error)
        }
    }

    /// Drops what comes behind an answer, until the peer has gone.
    private mutating func discard(_ peer: Connection) throws(FastCGIError) {
        for _ in 0..<Self.portions {
            switch try peer.receive(through: &space) {
            case .something: continue
            case .nothing:
                waiting.wait(peer)
                return
            // A socket at its end always has an event.
            case .end:
                waiting.close(peer)
                return
            }
        }
        waiting.wait(peer)
    }

    /// Takes in what came; hands the request over once its body is there, or much of it.
    private mutating func gather(_ peer: Connection) throws(FastCGIError) {
        for _ in 0..<Self.portions {
            let wasUntouched = peer.gate.isUntouched
            let phase = peer.gate.phase
            switch try peer.receive(through: &space, mayLeave: wasUntouched) {
            case .nothing:
                waiting.wait(peer)
                return
            case .end: throw .connectionLost
            case .something: break
            }
            guard waiting.hold(peer) else {
                refuse(peer)
                return
            }
            if wasUntouched { peer.deadline = .now + waiting.limits.headTime }
            if phase != .body && peer.gate.phase == .body {
                peer.deadline = .now + waiting.limits.bodyTime
            }
            let isGathered = peer.gate.body.count >= waiting.limits.gatheredBodyBytes
            if peer.gate.phase == .ended || isGathered {
                handOver(peer)
                return
            }
        }
        waiting.wait(peer)
    }

    private mutating func handOver(_ peer: Connection) {
        peer.readyAt = .now
        if peer.gate.bodyLength > 0 {
            peer.errand = triage.errand(RequestHead(peer.gate))
            let errand = peer.errand
            if errand.lane == .long,
                let answer = triage.refusal(errand, queue.size(in: .long, upTo: errand.size))
            {
                turnAway(peer, with: answer)
                return
            }
        } else {
            peer.errand = Errand(.bodiless)
        }
        waiting.handOut()
        if queue.push(peer) { return }
        waiting.handBack()
        refuse(peer)
    }

    /// Drops the requests in the queue whose peers left, and answers those that waited too long.
    private mutating func lookAfterQueue() {
        let now = ContinuousClock.now
        guard looksAt <= now else { return }
        looksAt = now + Self.look
        for peer in refusals.takeAll(where: \.isPeerGone) { waiting.leave(peer) }
        guard queue.isWaitedFor else { return }
        for peer in queue.takeAll(where: \.isPeerGone) { waiting.leave(peer) }
        let oldest = now - (triage.queueTime?() ?? waiting.limits.queueTime)
        for peer in queue.takeAll(where: { $0.readyAt < oldest && $0.errand.lane != .form }) {
            waiting.counters.lateAnswers.add(1, ordering: .relaxed)
            refuse(peer, with: busyAnswer)
            waiting.handBack()
        }
    }

    /// Answers a request that has no chance; of many, not at once.
    private mutating func turnAway(_ peer: Connection, with answer: Answer) {
        let now = peer.readyAt
        let delay = refusals.delay(at: now)
        guard delay > .zero, !waiting.stops else { return refuse(peer, with: answer) }
        peer.gate.discardsBody = true
        _ = waiting.hold(peer)
        waiting.handOut()
        refusals.add(peer, answer, until: now + delay)
    }

    /// Sends the refusals that were kept back long enough.
    private mutating func sendRefusals() {
        guard !refusals.isEmpty else { return }
        let latest = waiting.stops ? .now + HeldRefusals.longest : ContinuousClock.now
        for (peer, answer) in refusals.takeDue(at: latest) {
            refuse(peer, with: answer)
            waiting.handBack()
        }
    }

    /// Answers a request of which there is at least the beginning as busy.
    private func refuse(_ peer: Connection) {
        waiting.counters.busyAnswers.add(1, ordering: .relaxed)
        refuse(peer, with: busyAnswer)
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
        waiting.settle(peer)
    }

    /// Closes those whose time is over.
    private mutating func expire() {
        let now = ContinuousClock.now
        if now < expiresAt { return }
        expiresAt = now + Self.watch
        for peer in waiting.takeAll(where: { $0.deadline <= now }) {
            let isIdle = peer.gate.isUntouched && peer.served > 0 || peer.stage == .leave
            waiting.close(peer, for: isIdle ? nil : .timedOut(Self.lateness(of: peer)))
        }
    }

    private static func lateness(of peer: Connection) -> String {
        switch (peer.stage, peer.gate.phase) {
        case (.room, _): "an answer was not read in time"
        case (_, .body): "the body did not come in time"
        case _ where peer.gate.isUntouched: "nothing was sent"
        default: "a request's head did not come in time"
        }
    }

    // MARK: Stop

    /// Closes the door: whoever is inside, or waits at a door of our own, is still served.
    private mutating func beginStop(_ listener: borrowing Listener) -> ContinuousClock.Instant {
        let deadline = ContinuousClock.now + waiting.limits.stopTime
        stopsAt = deadline
        if isAccepting { pauseAccepting(listener) }
        if listener.isOwn {
            // Peers in the queue of an inherited socket are served by those who share it.
            listener.withdraw()
            // A Unix socket that is shut still gives out who waits, and no one comes between; a
            // TCP socket turns them away.
            if listener.isUnix { listener.shut() }
            while (try? acceptAll(listener)) == true {}
            listener.shut()
        }
        return deadline
    }

    /// Closes who has no request under way, and hurries who has.
    private func dismissIdle() {
        let latest = ContinuousClock.now + Self.lastWords
        let dismissed = waiting.takeAll { peer in
            if peer.stage == .request { peer.deadline = min(peer.deadline, latest) }
            // A kept connection may have had a request since its last event.
            return peer.isIdle && !peer.hasInput
        }
        for peer in dismissed { waiting.close(peer) }
    }
}
