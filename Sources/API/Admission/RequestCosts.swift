/// Upper bounds of a request's memory, by what is known of the request.
///
/// They follow from what the code holds at a time. Tests/EndToEnd/test_memory.py sends the worst
/// bodies and measures.
extension Limits {
    /// Bytes for a JSON body of `length` bytes and for its text or its strings.
    public func bodyCost(_ length: Int) -> Int { 2 * length }

    /// Bytes for reading a JSON body of `length` bytes and listing its errors.
    ///
    /// A bracket takes eight bytes, twice that while arrays grow. The answer counts three times,
    /// since its arrays grow too; a quotation in it takes up to six times its length.
    public func parsingCost(_ length: Int) -> Int {
        5 * length + 18 * min(length, quotedBytes) + 450 * min(length / 2, issues)
    }

    /// Bytes for denoising `rows` embeddings and printing them.
    ///
    /// A value is held four times as a float: given, noisy, denoised and copied. Two of these (8
    /// bytes) are still held while the value is text. The text has at most 20 bytes with its comma,
    /// in arrays that start at 13 bytes a value and double. An adaptive denoiser holds three floats
    /// more: the row at scale one, its answer, and its place among the answers.
    public func answerCost(rows: Int) -> Int { rows * EmbeddingReading.columns * 47 }

    /// Bytes of a body that needs no reservation, because every request thread has room for it.
    static let freeBodyBytes = 16 << 10

    /// Rows of an answer that needs no reservation.
    static let freeRows = 16

    /// Bytes that a request thread may take without a reservation.
    public var freeCost: Int {
        bodyCost(Self.freeBodyBytes)
            + max(parsingCost(Self.freeBodyBytes), answerCost(rows: Self.freeRows))
    }

    /// Bytes for the largest body, for parsing it and for the largest answer.
    public var largestCosts: (body: Int, parsing: Int, answer: Int) {
        (bodyCost(bodyBytes), parsingCost(bodyBytes), answerCost(rows: max(rows, texts)))
    }
}
