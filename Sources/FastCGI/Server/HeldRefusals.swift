/// Answers to refused requests that are kept back for a moment.
///
/// Who asks again as soon as it is refused would else have the machine refuse and do nothing besides. The first
/// refusals go out at once; from then on so many a second, and none later than a bound.
struct HeldRefusals {
    private struct Entry {
        let due: ContinuousClock.Instant
        let connection: Connection
        let answer: Answer
    }

    /// Who is due first comes first.
    private var entries: [Entry] = []

    /// When the next refusal would go out if none went at once; nil before the first.
    private var turn: ContinuousClock.Instant?

    /// Between two refusals in the long run.
    static let interval = Duration.milliseconds(20)

    /// Refusals at once after a time without any.
    static let burst = 50

    /// The longest that one is kept back.
    static let longest = Duration.seconds(1)

    var isEmpty: Bool { entries.isEmpty }

    /// When the next refusal is due; nil if none is kept.
    var nextDue: ContinuousClock.Instant? { entries.first?.due }

    /// How long a refusal of now is kept back, which counts it.
    mutating func delay(at now: ContinuousClock.Instant) -> Duration {
        let ahead = Self.interval * Self.burst
        let next = min(max(turn ?? now, now) + Self.interval, now + ahead + Self.longest)
        turn = next
        return max(now.duration(to: next) - ahead, .zero)
    }

    /// Keeps the answer back until then; no later than one that came before.
    mutating func add(
        _ connection: Connection, _ answer: Answer, until due: ContinuousClock.Instant
    ) {
        let due = max(due, entries.last?.due ?? due)
        entries.append(Entry(due: due, connection: connection, answer: answer))
    }

    /// Takes out what is due.
    mutating func takeDue(
        at now: ContinuousClock.Instant
    ) -> [(connection: Connection, answer: Answer)] {
        let count = entries.firstIndex { $0.due > now } ?? entries.count
        defer { entries.removeFirst(count) }
        return entries.prefix(count).map { ($0.connection, $0.answer) }
    }

    /// Takes out those whose connection meets `condition`.
    mutating func takeAll(where condition: (Connection) -> Bool) -> [Connection] {
        let found = entries.map(\.connection).filter(condition)
        if !found.isEmpty {
            entries.removeAll { entry in found.contains { $0 === entry.connection } }
        }
        return found
    }
}
