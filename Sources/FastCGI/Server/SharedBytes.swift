import Synchronization

/// Bytes that all connections hold together of one kind, each its own share, with a limit.
final class SharedBytes: Sendable {
    private let limit: Int
    private let total = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Bytes of all shares.
    var count: Int { total.load(ordering: .relaxed) }

    /// Changes a connection's share; false if it grew and the total is now beyond the limit.
    @discardableResult
    func set(_ share: inout Int, to count: Int) -> Bool {
        let more = count - share
        share = count
        let now = total.add(more, ordering: .relaxed).newValue
        return more <= 0 || now <= limit
    }

    /// Makes `count` bytes the share of a connection that has none, if they are within the limit.
    func claim(_ share: inout Int, _ count: Int) -> Bool {
        precondition(share == 0, "a second share beside one of \(share) bytes")
        var now = self.count
        while now + count <= limit {
            let (isOurs, found) = total.weakCompareExchange(
                expected: now, desired: now + count, ordering: .relaxed)
            if isOurs {
                share = count
                return true
            }
            now = found
        }
        return false
    }
}
