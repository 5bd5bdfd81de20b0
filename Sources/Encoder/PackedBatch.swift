/// Sequences of word piece ids, end to end, without padding.
public struct PackedBatch: Sendable {
    /// The ids of all sequences.
    public private(set) var ids: [Int32] = []

    /// The start of each sequence in `ids`, and the end of the last: `sequences` + 1 numbers.
    public private(set) var offsets: [Int] = [0]

    /// A batch without sequences.
    public init() {}

    /// Adds a sequence, which may not be empty.
    public mutating func append(_ sequence: some Collection<Int32>) {
        precondition(!sequence.isEmpty, "sequence \(sequences) is empty")
        ids.append(contentsOf: sequence)
        offsets.append(ids.count)
    }

    /// Takes all sequences out; with `keepingCapacity` the storage stays.
    public mutating func removeAll(keepingCapacity: Bool = false) {
        ids.removeAll(keepingCapacity: keepingCapacity)
        offsets.removeAll(keepingCapacity: keepingCapacity)
        offsets.append(0)
    }

    /// The number of ids.
    public var tokens: Int { ids.count }

    /// The number of sequences.
    public var sequences: Int { offsets.count - 1 }

    /// The place of sequence `index` in `ids`.
    public func range(of index: Int) -> Range<Int> { offsets[index]..<offsets[index + 1] }
}
