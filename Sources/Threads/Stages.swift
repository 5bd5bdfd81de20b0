internal import Glibc
internal import Synchronization

private struct Padding: Sendable { private let bytes = InlineArray<16, UInt64>(repeating: 0) }

/// The stages of shared work, one after the other, each cut into pieces that threads take.
///
/// Nobody waits for a thread that has not come: who is there takes all pieces, one by one, and waits only
/// for a piece that another has taken and not finished. A thread that comes late finds the stages it has
/// missed closed and joins at the one under way.
final class Stages: Sendable {
    /// The stage's number, its first piece that nobody took, and the end of those.
    private struct Ticket {
        var stage: UInt32
        var first, end: UInt16

        init(stage: UInt32, pieces: Int) {
            precondition(0...Int(UInt16.max) ~= pieces, "\(pieces) pieces")
            self.stage = stage
            first = 0
            end = UInt16(pieces)
        }

        init(bits: UInt64) {
            stage = UInt32(truncatingIfNeeded: bits >> 32)
            first = UInt16(truncatingIfNeeded: bits >> 16)
            end = UInt16(truncatingIfNeeded: bits)
        }

        var bits: UInt64 { UInt64(stage) << 32 | UInt64(first) << 16 | UInt64(end) }
    }

    // Two cache lines apart from each other and from what else lies there: who looks for one is not to
    // disturb who writes the other.
    private let before = Padding()
    private let ticket = Atomic<UInt64>(0)
    private let between = Padding()
    /// Pieces finished so far, of all stages.
    private let finished = Atomic<Int>(0)
    private let after = Padding()

    /// The number of the stage that was opened last, and the pieces of all up to it.
    ///
    /// To be asked for between stages only.
    var position: (stage: UInt32, pieces: Int) {
        (Ticket(bits: ticket.load(ordering: .acquiring)).stage, finished.load(ordering: .acquiring))
    }

    /// Opens stage `number`, all pieces of the one before being finished; nothing where it is open.
    func open(_ number: UInt32, pieces: Int) {
        let bits = ticket.load(ordering: .acquiring)
        guard Ticket(bits: bits).stage == number &- 1 else { return }
        let opened = Ticket(stage: number, pieces: pieces)
        _ = ticket.compareExchange(
            expected: bits, desired: opened.bits, ordering: .acquiringAndReleasing)
    }

    /// A piece of stage `number` that nobody took, from the front or the back; nil where there is none.
    func take(of number: UInt32, fromFront: Bool) -> Int? {
        var bits = ticket.load(ordering: .acquiring)
        while true {
            var taken = Ticket(bits: bits)
            guard taken.stage == number, taken.first < taken.end else { return nil }
            if fromFront { taken.first += 1 } else { taken.end -= 1 }
            let (isOurs, found) = ticket.weakCompareExchange(
                expected: bits, desired: taken.bits, ordering: .acquiringAndReleasing)
            if isOurs { return Int(fromFront ? taken.first - 1 : taken.end) }
            bits = found
        }
    }

    /// Counts `pieces` as finished and returns once `total` are.
    ///
    /// Spins: a piece takes microseconds, and going to sleep and being woken costs as much. Sleeps where the
    /// piece takes longer, which means that its thread has no core: who sleeps is let in again at once, who
    /// gives its core away must wait for its turn. It spins for longer than a sleep takes: else one's sleep
    /// makes the other sleep, and so on.
    func finish(_ pieces: Int, waitingFor total: Int) {
        if pieces > 0 { finished.add(pieces, ordering: .acquiringAndReleasing) }
        var looks = 0
        while finished.load(ordering: .acquiring) < total {
            looks += 1
            if looks > 200_000 { usleep(10) }
        }
    }
}
