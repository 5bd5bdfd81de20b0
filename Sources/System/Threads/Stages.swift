internal import Glibc
internal import Synchronization

private struct Padding: Sendable { private let bytes = InlineArray<16, UInt64>(repeating: 0) }

/// The stages of shared work, one after the other, each cut into pieces that threads take.
///
/// Nobody waits for a thread that has not come: who is there takes all pieces, one by one, and waits only
/// for a piece that another has taken and not finished. A thread that comes late finds the stages it has
/// missed closed and joins at the one under way.
///
/// All that threads tell each other stands in one word. Its cache line goes from core to core at each change,
/// which takes 50 to 600 ns: a stage of two pieces costs four such changes.
final class Stages: Sendable {
    /// The most pieces of a stage.
    static let mostPieces = Int(UInt8.max)

    /// The stage's number, its first piece that nobody took, the end of those, and how many are finished.
    private struct Ticket {
        var stage: UInt32
        var first, end, finished: UInt8

        init(stage: UInt32, pieces: Int) {
            precondition(1...Stages.mostPieces ~= pieces, "\(pieces) pieces")
            self.stage = stage
            first = 0
            end = UInt8(pieces)
            finished = 0
        }

        init(bits: UInt64) {
            stage = UInt32(truncatingIfNeeded: bits >> 32)
            first = UInt8(truncatingIfNeeded: bits >> 16)
            end = UInt8(truncatingIfNeeded: bits >> 8)
            finished = UInt8(truncatingIfNeeded: bits)
        }

        var bits: UInt64 {
            UInt64(stage) << 32 | UInt64(first) << 16 | UInt64(end) << 8 | UInt64(finished)
        }

        /// Takes the first or the last piece that nobody took; nil where there is none.
        mutating func take(fromFront: Bool) -> Int? {
            guard first < end else { return nil }
            if fromFront {
                first += 1
                return Int(first) - 1
            }
            end -= 1
            return Int(end)
        }
    }

    // Two cache lines apart from what else lies there: who writes that is not to disturb who looks for a stage.
    private let before = Padding()
    private let ticket = Atomic<UInt64>(0)
    private let after = Padding()

    /// The number of the stage that was opened last.
    ///
    /// To be asked for between stages only.
    var number: UInt32 { Ticket(bits: ticket.load(ordering: .acquiring)).stage }

    /// Enters stage `number`, opening it where nobody has: all pieces of the one before are finished.
    ///
    /// - Returns: a piece that nobody took; nil where there is none, or where the stage is closed again.
    func enter(_ number: UInt32, pieces: Int, fromFront: Bool) -> Int? {
        change { ticket in
            if ticket.stage == number &- 1 { ticket = Ticket(stage: number, pieces: pieces) }
            return ticket.stage == number ? ticket.take(fromFront: fromFront) : nil
        }
    }

    /// Counts one piece of the present stage as finished, and takes another; nil where there is none.
    func next(fromFront: Bool) -> Int? {
        change { ticket in
            ticket.finished += 1
            return ticket.take(fromFront: fromFront)
        }
    }

    private func change(_ step: (inout Ticket) -> Int?) -> Int? {
        var bits = ticket.load(ordering: .acquiring)
        while true {
            var ticket = Ticket(bits: bits)
            let piece = step(&ticket)
            if ticket.bits == bits { return piece }
            let (isOurs, found) = self.ticket.weakCompareExchange(
                expected: bits, desired: ticket.bits, ordering: .acquiringAndReleasing)
            if isOurs { return piece }
            bits = found
        }
    }

    /// Returns once all `pieces` of stage `number` are finished.
    ///
    /// Spins: a piece takes microseconds, and going to sleep and being woken costs as much. Sleeps where the
    /// piece takes longer, which means that its thread has no core: who sleeps is let in again at once, who
    /// gives its core away must wait for its turn. It spins for longer than a sleep takes: else one's sleep
    /// makes the other sleep, and so on.
    func await(_ number: UInt32, pieces: Int) {
        var looks = 0
        while true {
            let ticket = Ticket(bits: ticket.load(ordering: .acquiring))
            if ticket.stage != number || Int(ticket.finished) == pieces { return }
            looks += 1
            if looks > 200_000 { usleep(10) }
        }
    }
}
