internal import Glibc
internal import Synchronization

private struct Padding: Sendable { private let bytes = InlineArray<16, UInt64>(repeating: 0) }

/// A barrier between the phases of shared work, each of which is cut into chunks that threads take.
///
/// No thread waits for one that has not arrived. The threads that are there take all chunks, and
/// wait only for chunks that another has taken and not finished. A thread that arrives late finds
/// the phases it missed closed and joins the open one.
///
/// The whole state is one word. Its cache line moves between cores at each change, so a phase of
/// two chunks costs four such moves.
final class PhaseBarrier: Sendable {
    /// The most chunks of a phase.
    static let mostChunks = Int(UInt8.max)

    /// The phase's number, its chunks first ..< end that are not taken, and how many are finished.
    private struct Ticket {
        var phase: UInt32
        var first, end, finished: UInt8

        init(phase: UInt32, chunks: Int) {
            precondition(1...PhaseBarrier.mostChunks ~= chunks, "\(chunks) chunks")
            self.phase = phase
            first = 0
            end = UInt8(chunks)
            finished = 0
        }

        init(bits: UInt64) {
            phase = UInt32(truncatingIfNeeded: bits >> 32)
            first = UInt8(truncatingIfNeeded: bits >> 16)
            end = UInt8(truncatingIfNeeded: bits >> 8)
            finished = UInt8(truncatingIfNeeded: bits)
        }

        var bits: UInt64 {
            UInt64(phase) << 32 | UInt64(first) << 16 | UInt64(end) << 8 | UInt64(finished)
        }

        /// Takes the first or the last free chunk; nil if there is none.
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

    // Two cache lines on each side: writes to neighbours must not disturb threads that poll the
    // ticket.
    private let before = Padding()
    private let ticket = Atomic<UInt64>(0)
    private let after = Padding()

    /// The number of the phase that was opened last.
    ///
    /// To be asked for between phases only.
    var number: UInt32 { Ticket(bits: ticket.load(ordering: .acquiring)).phase }

    /// Enters phase `number`, and opens it if it is the next: all chunks of the one before are
    /// finished.
    ///
    /// - Returns: a free chunk; nil if there is none, or if the phase is closed already.
    func enter(_ number: UInt32, chunks: Int, fromFront: Bool) -> Int? {
        change { ticket in
            if ticket.phase == number &- 1 { ticket = Ticket(phase: number, chunks: chunks) }
            return ticket.phase == number ? ticket.take(fromFront: fromFront) : nil
        }
    }

    /// Counts one chunk of the open phase as finished, and takes another; nil if there is none.
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
            let chunk = step(&ticket)
            if ticket.bits == bits { return chunk }
            let (isOurs, found) = self.ticket.weakCompareExchange(
                expected: bits, desired: ticket.bits, ordering: .acquiringAndReleasing)
            if isOurs { return chunk }
            bits = found
        }
    }

    /// Returns once all `chunks` of phase `number` are finished.
    ///
    /// Spins first, because a chunk takes microseconds, and so do sleeping and waking. After that
    /// many polls the other thread has probably lost its core, so this one sleeps. It does not
    /// yield: a sleeper is scheduled again at once, a yielder is not. The spin is longer than one
    /// sleep, or the two threads would put each other to sleep in turn.
    func await(_ number: UInt32, chunks: Int) {
        var polls = 0
        while true {
            let ticket = Ticket(bits: ticket.load(ordering: .acquiring))
            if ticket.phase != number || Int(ticket.finished) == chunks { return }
            polls += 1
            if polls > 200_000 { usleep(10) }
        }
    }
}
