/// What a request takes of the memory at most, by what is known of it; each figure is an upper bound.
///
/// The bounds were found by sending the worst bodies there are (Tests/EndToEnd/test_memory.py) and
/// counting what the code holds at a time.
extension Limits {
    /// Bytes for a JSON body of `length` bytes: as it came, and its text or its strings.
    public func bodyCost(_ length: Int) -> Int { 2 * length }

    /// Bytes for reading a JSON body of `length` bytes and listing its errors.
    ///
    /// Eight bytes for every bracket, twice over where arrays grow; and the answer, which is made and
    /// grown, with quotations at up to six times their length.
    public func parsingCost(_ length: Int) -> Int {
        5 * length + 18 * min(length, quotedBytes) + 450 * min(length / 2, issues)
    }

    /// Bytes for denoising `rows` embeddings and printing them.
    ///
    /// A value is given, made noisy, denoised and copied on the way as a float (four times 4 bytes). Given and
    /// denoised it is still there (8) when it is text: 20 bytes at most with its comma, in arrays that are made for
    /// 13 and grow to twice that.
    public func answerCost(rows: Int) -> Int { rows * EmbeddingReading.columns * 35 }

    /// Lengths of bodies up to which nothing is set aside, because every request thread has room.
    static let freeBodyBytes = 16 << 10

    /// Rows of an answer up to which nothing is set aside.
    static let freeRows = 16

    /// Bytes a request thread may take without asking.
    public var freeCost: Int {
        bodyCost(Self.freeBodyBytes)
            + max(parsingCost(Self.freeBodyBytes), answerCost(rows: Self.freeRows))
    }

    /// Bytes for the largest request, for reading it and for answering it.
    public var largestCosts: (body: Int, parsing: Int, answer: Int) {
        (bodyCost(bodyBytes), parsingCost(bodyBytes), answerCost(rows: max(rows, texts)))
    }
}
