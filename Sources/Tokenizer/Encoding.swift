/// A text as the encoder reads it.
public struct Encoding: Sendable, Equatable {
    /// Word piece numbers, `[CLS]` first and `[SEP]` last.
    public var ids: [Int32]

    /// Whether the text had more pieces than there was room for.
    public var isTruncated: Bool

    public init(ids: [Int32], isTruncated: Bool) {
        self.ids = ids
        self.isTruncated = isTruncated
    }
}
