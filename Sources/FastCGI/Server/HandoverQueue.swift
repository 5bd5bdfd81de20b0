import Synchronization
import System

/// Connections with a request, on their way from the polling thread to the request threads.
///
/// A connection goes to the thread that began to wait last: its stack and heap are still in the cache. One row of
/// embeddings takes 0.99 of the time it takes with 16 threads in turn, and 15 of them touch no memory.
///
/// Each lane has a bound on the threads that its requests hold at a time, so that some are left for the lanes before
/// it. One thread more than requests with a body may hold is there for those without.
final class HandoverQueue: Sendable {
    /// Where one thread waits for a connection.
    final class Seat: Sendable {
        // Not a condition: glibc before 2.41 may lose one's signal (its bug 25847), and the request with it.
        fileprivate let bell = Semaphore()
        fileprivate let connection = Mutex<Connection?>(nil)

        init() {}
    }

    private struct State {
        /// Connections for which no thread was free, by lane.
        var lines = Errand.Lane.allCases.map { _ in WaitingLine() }
        /// Threads that each lane holds.
        var holding = Errand.Lane.allCases.map { _ in 0 }
        /// Threads that wait; where there is one, a connection waits only because its lane holds what it may.
        var seats: [Seat] = []
        var isClosed = false
        /// Short requests in turn that went before a long one or a form.
        var passedOver = 0

        var isEmpty: Bool { lines.allSatisfy(\.isEmpty) }
    }

    private enum Turn {
        case has(Connection)
        case waits
        case ends
    }

    private let state = Mutex(State())
    private let limits: ServerLimits

    /// An empty queue.
    init(_ limits: ServerLimits) { self.limits = limits }

    /// Hands a connection to a thread that waits, or queues it; false where its line is full.
    func push(_ connection: Connection) -> Bool {
        let lane = connection.errand.lane
        let (isTaken, seat) = state.withLock { state -> (Bool, Seat?) in
            guard !state.isClosed else { return (false, nil) }
            if mayHold(lane, state), let seat = state.seats.popLast() {
                state.holding[lane.rawValue] += 1
                seat.connection.withLock { $0 = connection }
                return (true, seat)
            }
            guard state.lines[lane.rawValue].count < limit(of: lane) else { return (false, nil) }
            state.lines[lane.rawValue].add(connection)
            return (true, nil)
        }
        // Not under the lock: who wakes up on another core would find it held and sleep again.
        seat?.bell.signal()
        return isTaken
    }

    /// The next connection for the thread at `seat`, waiting for one; nil once the queue is closed and empty.
    ///
    /// - Parameter done: the lane of the connection that the thread had before.
    func pop(at seat: Seat, after done: Errand.Lane?) -> Connection? {
        var woken: [Seat] = []
        let turn = state.withLock { state -> Turn in
            if let done { state.holding[done.rawValue] -= 1 }
            let mine = next(&state)
            // What that thread held may be what another waits for.
            while let other = state.seats.last, let connection = next(&state) {
                state.seats.removeLast()
                other.connection.withLock { $0 = connection }
                woken.append(other)
            }
            if let mine { return .has(mine) }
            if state.isClosed && state.isEmpty { return .ends }
            state.seats.append(seat)
            return .waits
        }
        for other in woken { other.bell.signal() }
        switch turn {
        case .has(let connection): return connection
        case .ends:
            wakeLast()
            return nil
        case .waits:
            seat.bell.wait()
            if let connection = seat.connection.withLock({ $0.take() }) { return connection }
            return nil
        }
    }

    /// Takes out the connections that wait and for which `condition` holds.
    func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        state.withLock { state in
            state.lines.indices.flatMap { state.lines[$0].takeAll(where: condition) }
        }
    }

    /// Whether a connection waits for a thread.
    var isWaitedFor: Bool { state.withLock { !$0.isEmpty } }

    /// How much there is to do for those who wait in a line and have no more to do than `size`.
    func size(in lane: Errand.Lane, upTo size: Int) -> Int {
        state.withLock { $0.lines[lane.rawValue].size(upTo: size) }
    }

    /// Lets every `pop` end once the queue is empty.
    func close() {
        let seats = state.withLock { state -> [Seat] in
            state.isClosed = true
            // Those who wait are served by the threads that are busy, of which there is one at least.
            defer { state.seats = [] }
            return state.seats
        }
        for seat in seats { seat.bell.signal() }
    }

    /// Lets every `pop` end at once; returns the connections that waited, for the caller to close.
    func abandon() -> [Connection] {
        defer { close() }
        return takeAll { _ in true }
    }

    /// Ends the threads that sit down while others are still busy after the queue was closed.
    private func wakeLast() {
        let seats = state.withLock { state in
            defer { state.seats = [] }
            return state.seats
        }
        for seat in seats { seat.bell.signal() }
    }

    /// Short requests in turn that may go before a long one or a form that could have their thread.
    private static let patience = 3

    /// The next connection that may have a thread: short requests first, but not for ever.
    private func next(_ state: inout State) -> Connection? {
        let order: [Errand.Lane] =
            state.passedOver < Self.patience
            ? [.bodiless, .short, .long, .form] : [.bodiless, .form, .long, .short]
        for lane in order where mayHold(lane, state) {
            guard let connection = state.lines[lane.rawValue].next() else { continue }
            state.holding[lane.rawValue] += 1
            switch lane {
            case .bodiless: break
            case .short:
                let others = state.lines[Errand.Lane.long.rawValue...]
                state.passedOver = others.allSatisfy(\.isEmpty) ? 0 : state.passedOver + 1
            case .long, .form: state.passedOver = 0
            }
            return connection
        }
        return nil
    }

    /// Whether a request of this lane may hold one more thread.
    private func mayHold(_ lane: Errand.Lane, _ state: State) -> Bool {
        let held = state.holding[lane.rawValue]
        let withBody = state.holding.reduce(-state.holding[Errand.Lane.bodiless.rawValue], +)
        return switch lane {
        case .bodiless: true
        case .short: withBody < limits.requestThreads
        case .long: withBody < limits.requestThreads && held < limits.longThreads
        case .form: withBody < limits.requestThreads && held < limits.formThreads
        }
    }

    /// Requests of a lane that may wait.
    private func limit(of lane: Errand.Lane) -> Int {
        // A form waits for another's training, which may take an hour.
        lane == .form
            ? min(limits.queuedRequests, limits.formThreads) : limits.queuedRequests
    }
}

/// Connections that wait for a thread: who has less to do comes first, but every fourth time who came first.
private struct WaitingLine {
    private var waiting: [Connection] = []
    private var sinceOldest = 0
    private static let ageTurn = 4

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }

    mutating func add(_ connection: Connection) { waiting.append(connection) }

    mutating func next() -> Connection? {
        let smallest = waiting.indices.min { waiting[$0].errand.size < waiting[$1].errand.size }
        guard let smallest else { return nil }
        sinceOldest += 1
        let isOldestsTurn = sinceOldest >= Self.ageTurn
        if isOldestsTurn { sinceOldest = 0 }
        return waiting.remove(at: isOldestsTurn ? 0 : smallest)
    }

    func size(upTo size: Int) -> Int {
        waiting.reduce(0) { $1.errand.size <= size ? $0 + $1.errand.size : $0 }
    }

    mutating func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        let found = waiting.filter(condition)
        if !found.isEmpty { waiting.removeAll { each in found.contains { $0 === each } } }
        return found
    }
}
