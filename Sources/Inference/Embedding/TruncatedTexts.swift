/// How many texts had more tokens than count, so that the rest of them was cut.
public struct TruncatedTexts: Sendable, Equatable {
    /// How many.
    public private(set) var count = 0

    /// Which came first, counted from 0; nil if none was cut.
    public private(set) var first: Int?

    /// None so far.
    public init() {}

    /// `count` texts, the first of which is number `first`.
    public init(count: Int, first: Int) {
        self.count = count
        self.first = first
    }

    /// Counts text `index`; texts come in order.
    public mutating func add(_ index: Int) {
        count += 1
        first = first ?? index
    }

    /// Counts those of a later block of texts that begins with text `start`.
    public mutating func add(_ block: TruncatedTexts, from start: Int) {
        count += block.count
        first = first ?? block.first.map { start + $0 }
    }
}
