/// Refusals that are kept back for a moment.
///
/// If a client asks again as soon as it is refused, the machine does little else than refuse. So
/// the first refusals are sent at once, further ones at a limited rate, and none later than
/// `longest`.
struct HeldRefusals {
    private struct Entry {
        let due: ContinuousClock.Instant
        let connection: Connection
        let answer: Answer
    }

    /// In the order of their due times.
    private var entries: [Entry] = []

    /// The time of the next refusal if none were sent at once; nil before the first.
    private var turn: ContinuousClock.Instant?

    /// The mean time between two refusals.
    static let interval = Duration.milliseconds(20)

    /// The refusals that are sent at once after a time without any.
    static let burst = 50

    /// The longest time that one is kept back.
    static let longest = Duration.seconds(1)

    var isEmpty: Bool { entries.isEmpty }

    /// The time of the next due refusal; nil if none is kept.
    var nextDue: ContinuousClock.Instant? { entries.first?.due }

    /// Counts a refusal; gives the time that it is kept back.
    mutating func delay(at now: ContinuousClock.Instant) -> Duration {
        let ahead = Self.interval * Self.burst
        let next = min(max(turn ?? now, now) + Self.interval, now + ahead + Self.longest)
        turn = next
        return max(now.duration(to: next) - ahead, .zero)
    }

    /// Keeps an answer back until `due`, or until the last one is due if that is later.
    mutating func add(
        _ connection: Connection, _ answer: Answer, until due: ContinuousClock.Instant
    ) {
        let due = max(due, entries.last?.due ?? due)
        entries.append(Entry(due: due, connection: connection, answer: answer))
    }

    /// Takes out the refusals that are due.
    mutating func takeDue(
        at now: ContinuousClock.Instant
    ) -> [(connection: Connection, answer: Answer)] {
        let count = entries.firstIndex { $0.due > now } ?? entries.count
        defer { entries.removeFirst(count) }
        return entries.prefix(count).map { ($0.connection, $0.answer) }
    }

    /// Takes out the refusals whose connections meet `condition`.
    mutating func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        let found = entries.map(\.connection).filter(condition)
        if !found.isEmpty {
            entries.removeAll { entry in found.contains { $0 === entry.connection } }
        }
        return found
    }
}
