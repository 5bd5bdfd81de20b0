internal import Synchronization

/// Part `index` of `count` parts of a stage's work, and the place where their threads meet.
package struct Share: Sendable {
    package let index: Int
    package let count: Int
    let meeting: Meeting?

    /// All of the work, for a thread alone.
    package static let whole = Share(index: 0, count: 1, meeting: nil)

    /// This share of 0 ..< `n`, cut at multiples of `unit`.
    package func part(of n: Int, in unit: Int = 1) -> Range<Int> {
        let units = (n + unit - 1) / unit
        let start = units * index / count * unit
        let end = units * (index + 1) / count * unit
        return min(start, n)..<min(end, n)
    }

    /// Waits until every share has come this far.
    package func meet() { meeting?.meet() }
}
