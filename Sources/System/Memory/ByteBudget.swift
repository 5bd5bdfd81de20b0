/// Memory that requests share: a request for more than is free waits until others give theirs back.
///
/// A request that fits is let in before earlier ones that do not fit. A large request waits for
/// large ones, and must not make small ones wait with it.
public final class ByteBudget: Sendable {
    private struct State {
        var taken = 0
        var peak = 0
        var waiting = 0
    }

    /// Bytes there are in all.
    public let capacity: Int

    /// Callers that may wait at a time; one more is refused at once.
    public let waitingLimit: Int

    private let state = Monitor(State())

    /// A budget of `capacity` bytes of which none is taken.
    public init(capacity: Int, waitingLimit: Int = .max) {
        self.capacity = capacity
        self.waitingLimit = waitingLimit
    }

    /// Takes `bytes`, which the caller gives back later.
    ///
    /// Returns false if they do not come free by `deadline`, too many wait already, or the caller
    /// has left.
    public func take(
        _ bytes: Int, before deadline: ContinuousClock.Instant,
        unless hasLeft: () -> Bool = { false }
    ) -> Bool {
        precondition(bytes >= 0, "\(bytes) bytes")
        let mayWait: Bool? = state.withLock { state in
            if take(bytes, &state) { return nil }
            guard bytes <= capacity, state.waiting < waitingLimit else { return false }
            state.waiting += 1
            return true
        }
        guard let mayWait else { return true }
        guard mayWait else { return false }
        defer { state.withLock { $0.waiting -= 1 } }
        repeat {
            let look = min(deadline, .now + Caller.watch)
            let isTaken: Bool? = state.wait(before: look) { take(bytes, &$0) ? true : nil }
            if isTaken ?? false { return true }
        } while deadline > .now && !hasLeft()
        return false
    }

    /// Gives back what `take` took.
    public func giveBack(_ bytes: Int) {
        state.withLock { state in
            precondition(bytes <= state.taken, "\(bytes) of \(state.taken) bytes given back")
            state.taken -= bytes
        }
        state.wakeAll()
    }

    /// Bytes taken now, and at most so far.
    public var usage: (taken: Int, peak: Int) { state.withLock { ($0.taken, $0.peak) } }

    private func take(_ bytes: Int, _ state: inout State) -> Bool {
        // Not as a sum, which might overflow.
        guard bytes <= capacity - state.taken else { return false }
        state.taken += bytes
        state.peak = max(state.peak, state.taken)
        return true
    }
}
