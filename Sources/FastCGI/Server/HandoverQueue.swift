import Synchronization
import System

/// The queue of ready connections, from the polling thread to the request threads.
///
/// A connection goes to the thread that began to wait last: its stack and heap are still in the
/// cache, and idle threads touch no memory.
///
/// Each lane has a limit of threads, so that some are left for the lanes before it. One thread more
/// than requests with a body may hold is there for those without a body.
final class HandoverQueue: Sendable {
    /// The place of one waiting thread.
    final class Seat: Sendable {
        // Not a condition variable: glibc before 2.41 may lose a signal (its bug 25847), and so a
        // request.
        fileprivate let bell = Semaphore()
        fileprivate let connection = Mutex<Connection?>(nil)

        init() {}
    }

    private struct State {
        /// Connections for which no thread was free, by lane.
        var lines = Errand.Lane.allCases.map { _ in WaitingLine() }
        /// Threads that each lane holds.
        var holding = Errand.Lane.allCases.map { _ in 0 }
        /// Threads that wait.
        ///
        /// If there is one, connections wait only because their lanes are at the limit.
        var seats: [Seat] = []
        var isClosed = false
        /// Consecutive short requests that went before a long one or a form.
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

    /// Hands a connection to a waiting thread, or queues it; false if its line is full.
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
        // Outside the lock: the woken thread on another core would find it held and sleep again.
        seat?.bell.signal()
        return isTaken
    }

    /// The next connection for the thread at `seat`, waiting for one; nil once the queue is closed
    /// and empty.
    ///
    /// - Parameter done: the lane of the thread's previous connection.
    func pop(at seat: Seat, after done: Errand.Lane?) -> Connection? {
        var woken: [Seat] = []
        let turn = state.withLock { state -> Turn in
            if let done { state.holding[done.rawValue] -= 1 }
            let mine = next(&state)
            // The lane of the previous connection may now have a thread for another.
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

    /// Takes out the queued connections that meet `condition`.
    func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        state.withLock { state in
            state.lines.indices.flatMap { state.lines[$0].takeAll(where: condition) }
        }
    }

    /// Whether any connection waits for a thread.
    var isWaitedFor: Bool { state.withLock { !$0.isEmpty } }

    /// The size of all errands in a line that are no larger than `size`.
    func size(in lane: Errand.Lane, upTo size: Int) -> Int {
        state.withLock { $0.lines[lane.rawValue].size(upTo: size) }
    }

    /// Lets every `pop` end once the queue is empty.
    func close() {
        let seats = state.withLock { state -> [Seat] in
            state.isClosed = true
            // The busy threads, at least one, serve the queued connections.
            defer { state.seats = [] }
            return state.seats
        }
        for seat in seats { seat.bell.signal() }
    }

    /// Lets every `pop` end at once; returns the queued connections for the caller to close.
    func abandon() -> [Connection] {
        defer { close() }
        return takeAll { _ in true }
    }

    /// Ends the threads that began to wait after the queue was closed, while others were busy.
    private func wakeLast() {
        let seats = state.withLock { state in
            defer { state.seats = [] }
            return state.seats
        }
        for seat in seats { seat.bell.signal() }
    }

    /// The most consecutive short requests before a long one or a form that could have the thread.
    private static let mostPassedOver = 3

    /// The next connection that may have a thread: short requests first, but not always.
    private func next(_ state: inout State) -> Connection? {
        let order: [Errand.Lane] =
            state.passedOver < Self.mostPassedOver
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

    /// The most queued requests of a lane.
    private func limit(of lane: Errand.Lane) -> Int {
        // A form waits for another's training run, which may take an hour.
        lane == .form
            ? min(limits.queuedRequests, limits.formThreads) : limits.queuedRequests
    }
}

/// Connections that wait for a thread.
///
/// The smallest errand comes first; every fourth time the oldest one.
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
