/// Token ids of several sequences, end to end, with nothing between them.
public struct PackedBatch: Sendable {
    /// Ids of all sequences: [tokens].
    public private(set) var ids: [Int32] = []

    /// Where each sequence begins, and the end of the last: [sequences + 1].
    public private(set) var offsets: [Int] = [0]

    /// A batch without sequences.
    public init() {}

    /// Tokens in all.
    public var tokens: Int { ids.count }

    /// The number of sequences.
    public var sequences: Int { offsets.count - 1 }

    /// Adds a sequence.
    public mutating func append(_ sequence: some Collection<Int32>) {
        ids += sequence
        offsets.append(ids.count)
    }

    /// Takes all sequences out and keeps the storage.
    public mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }
}
