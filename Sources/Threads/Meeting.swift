internal import Glibc
internal import Synchronization

/// A point that several threads pass together, again and again.
final class Meeting: Sendable {
    private let members: Int
    private let arrivals = Atomic<Int>(0)

    init(members: Int) { self.members = members }

    /// Returns when all members have called it as often as this one has.
    ///
    /// Spins: a stage takes tens of microseconds, and going to sleep and being woken costs as much.
    /// Sleeps when the others take longer, which means that one of them has no core: who sleeps is let in
    /// again at once, who gives its core away must wait for its turn. It spins for longer than a sleep takes:
    /// else one's sleep makes the other sleep, and so on.
    func meet() {
        let arrived = arrivals.add(1, ordering: .acquiringAndReleasing).newValue
        let everyone = (arrived + members - 1) / members * members
        var looks = 0
        while arrivals.load(ordering: .acquiring) < everyone {
            looks += 1
            if looks > 200_000 { usleep(10) }
        }
    }
}
