internal import Denoisers
public import Encoder
internal import System
internal import Tensors
public import Tokenizer

/// Text to embeddings: tokenises on the caller's thread, encodes on the pool's.
public final class TextEmbedder: Sendable {
    private let tokenizer: WordPieceTokenizer
    private let pool: EncoderPool

    /// Elements of an embedding.
    public let columns: Int

    /// Elements that the encoder leaves 0 in every embedding; may be none.
    public let pilots: [Int]

    /// The most tokens of a text that count, with `[CLS]` and `[SEP]`, unless the encoder's files
    /// say otherwise.
    public static let tokenLimit = 256

    /// The most that its files may ask for: a whole batch.
    public static let mostTokens = tokenBudget

    /// The most tokens of a text that count here.
    public let tokenLimit: Int

    /// Compute threads.
    public let threads: Int

    /// What the encoder was made from; nil if nobody follows that.
    public let files: EncoderFiles?

    /// Starts the compute threads.
    ///
    /// - Parameters:
    ///   - tokenizer: text to ids.
    ///   - encoder: ids to vectors.
    ///   - threads: compute threads, one a core.
    ///   - tokenLimit: tokens of a text that count, from 2 to 512, or to as many as the encoder has
    ///     positions; the rest is cut.
    ///   - waitingLimit: callers allowed to wait for the encoder.
    ///   - files: what `encoder` was made from, so that none of its vectors are given once that is
    ///     spoilt.
    /// - Throws: if the two do not fit each other or the denoiser, or the system does not give that
    ///   many threads.
    public init(
        tokenizer: WordPieceTokenizer, encoder: SentenceEncoder, threads: Int,
        tokenLimit: Int = TextEmbedder.tokenLimit, waitingLimit: Int = 512,
        files: EncoderFiles? = nil
    ) throws(ModelFault) {
        precondition(2...Self.mostTokens ~= tokenLimit, "\(tokenLimit) tokens of a text")
        try Self.check(tokenizer, encoder)
        self.tokenizer = tokenizer
        self.files = files
        self.threads = threads
        self.tokenLimit = min(tokenLimit, encoder.configuration.positions)
        columns = encoder.configuration.hidden
        let norm = encoder.lastNorm
        pilots = pilotCoordinates(gain: norm.gain.span, bias: norm.shift.span)
        workspaceBytes = Self.workspaceBytes(for: encoder)
        pool = try EncoderPool(
            encoder: encoder, threadCount: threads, tokenBudget: tokenBudget,
            waitingLimit: waitingLimit)
    }

    /// Looks whether `tokenizer`, `encoder` and denoiser fit each other.
    ///
    /// - Throws: what does not fit, with the numbers.
    public static func check(
        _ tokenizer: WordPieceTokenizer, _ encoder: SentenceEncoder
    ) throws(ModelFault) {
        let sizes = encoder.configuration
        guard tokenizer.count <= sizes.vocabulary else {
            throw ModelFault(
                "vocab.txt has \(tokenizer.count) pieces, config.json a vocab_size of "
                    + "\(sizes.vocabulary); the encoder has no embedding for the others")
        }
        guard sizes.hidden == embeddingWidth else {
            throw ModelFault(
                "config.json has a hidden_size of \(sizes.hidden); embeddings of "
                    + "\(embeddingWidth) are what is denoised")
        }
        guard sizes.positions >= 2 else {
            throw ModelFault("config.json has max_position_embeddings of \(sizes.positions)")
        }
    }

    /// Token ids of `text`, with `[CLS]` and `[SEP]`.
    public func tokenize(_ text: String) -> Encoding {
        tokenizer.encode(text, limit: tokenLimit)
    }

    /// Whether `text` has no token of its own.
    func isBlank(_ text: borrowing UTF8Span) -> Bool { tokenizer.isBlank(text) }

    /// The lines of UTF-8 `text` that are not blank, as `train` and uploads take them.
    public func lines(of text: [UInt8]) -> [Range<Int>] {
        var lines: [Range<Int>] = []
        Corpus.forEachLine(of: text, isBlank) { lines.append($0) }
        return lines
    }

    /// Bytes of storage that each compute thread fills with `encoder`.
    public static func workspaceBytes(for encoder: SentenceEncoder) -> Int {
        encoder.workspaceBytes(tokens: tokenBudget)
    }

    /// Bytes of storage that each compute thread fills.
    public let workspaceBytes: Int

    /// What the encoder computed so far and what waits for it.
    public var statistics: EncoderStatistics { pool.statistics }

    /// Embeds `texts`: [texts, `columns`], each row of length 1 if the encoder scales it, and which
    /// texts were cut.
    public func embed(
        _ texts: [String]
    ) throws(InferenceError) -> (values: [Float], truncated: TruncatedTexts) {
        let embedded = try embed(texts, for: Caller())
        return (embedded.values, embedded.truncated)
    }

    /// Rows of texts, and what a request is told of the work.
    struct EmbeddedTexts {
        /// Row-major [texts, `columns`].
        var values: [Float]
        var truncated: TruncatedTexts
        /// Tokens of all texts after truncation, with `[CLS]` and `[SEP]`.
        var tokens: Int
        /// How long each stage took, in order.
        var stages: [Stage]
    }

    /// The same for a request.
    ///
    /// - Throws: `overloaded`, `tooMuchWork`, `tooLate` or `callerLeft`.
    func embed(
        _ texts: [String], for caller: Caller
    ) throws(InferenceError) -> EmbeddedTexts {
        let began = ContinuousClock.now
        do throws(InferenceError) {
            return try embed(texts, for: caller, since: began)
        } catch {
            if case .tooMuchWork(let work) = error, let bytes = caller.requestBytes {
                pool.noteVain(bytes, since: caller.began, reason: work)
            }
            throw error
        }
    }

    private func embed(
        _ texts: [String], for caller: Caller, since began: ContinuousClock.Instant
    ) throws(InferenceError) -> EmbeddedTexts {
        var truncated = TruncatedTexts()
        var sequences: [[Int32]] = []
        sequences.reserveCapacity(texts.count)
        var tokens = 0
        for text in texts {
            let encoding = tokenize(text)
            if encoding.isTruncated { truncated.add(sequences.count) }
            sequences.append(encoding.ids)
            tokens += encoding.ids.count
            // What is refused in the end should not cost more than it must.
            if sequences.count % Self.look == 0 { try check(tokens, for: caller) }
        }
        if let bytes = caller.requestBytes { pool.note(tokens, inRequestOf: bytes) }
        let tokenized = ContinuousClock.now
        // Before, so as not to touch what was cut short; after, so as not to give wrong numbers.
        try refuseIfSpoilt()
        let (values, waited) = try pool.embed(sequences, for: caller)
        try refuseIfSpoilt()
        let stages = [
            Stage("tokenize", began.duration(to: tokenized)), Stage("wait", waited),
            Stage("encode", tokenized.duration(to: .now) - waited),
        ]
        return EmbeddedTexts(
            values: values, truncated: truncated, tokens: tokens, stages: stages)
    }

    /// Texts between two looks whether it is worth going on.
    private static let look = 64

    /// Looks whether a request of at least `tokens` may still be answered.
    private func check(_ tokens: Int, for caller: Caller) throws(InferenceError) {
        if let deadline = caller.deadline, tokens > EmbeddingQueue.shortTokens,
            let work = pool.refusal(of: tokens, before: deadline)
        {
            throw .tooMuchWork(work)
        }
        if caller.hasLeft() { throw .callerLeft }
    }

    /// Why a long request of which only the length is known cannot be answered by `deadline`; nil
    /// if it may be.
    ///
    /// - Parameter others: bytes of such requests that come before it.
    public func refusal(
        ofBytes bytes: Int, behind others: Int, before deadline: ContinuousClock.Instant
    ) -> TooMuchWork? {
        pool.refusal(ofBytes: bytes, behind: others, before: deadline)
    }

    /// Embeds what nobody waits for, after every request; `progress` gets the texts done so far.
    ///
    /// - Returns: a row for every distinct line, and the numbers of those that were cut, in order.
    func embedInBackground(
        _ corpus: Corpus, isCancelled: () -> Bool, progress: (Int) -> Void
    ) throws(InferenceError) -> (values: [Float], truncated: [Int]) {
        var values: [Float] = []
        var truncated: [Int] = []
        let count = corpus.distinctCount
        values.reserveCapacity(count * columns)
        var start = 0
        while start < count {
            if isCancelled() { throw .trainingCancelled }
            try refuseIfSpoilt()
            // Long enough that the pool seldom runs dry; short enough to report.
            var (end, tokens) = (start, 0)
            var sequences: [[Int32]] = []
            while end < count, sequences.count < 512, tokens < 8 * tokenBudget {
                let encoding = corpus.encoding(of: end) {
                    tokenizer.encode($0, limit: tokenLimit)
                }
                if encoding.isTruncated { truncated.append(end) }
                sequences.append(encoding.ids)
                tokens += sequences[sequences.count - 1].count
                end += 1
            }
            let job = EmbeddingJob(sequences: sequences, columns: columns, isBackground: true)
            try pool.submit(job)
            var rows: [Float]?
            while rows == nil {
                // Beside clients that never pause it may take long.
                rows = job.result(before: .now + .milliseconds(200))
                if rows == nil, isCancelled() {
                    pool.drop(job)
                    throw .trainingCancelled
                }
            }
            try refuseIfSpoilt()
            values += rows ?? []
            start = end
            progress(start)
        }
        return (values, truncated)
    }

    /// - Throws: `encoderChanged` if the mapped weights may not be what they were.
    private func refuseIfSpoilt() throws(InferenceError) {
        if files?.areSpoilt == true { throw .encoderChanged(retryAfter: 1) }
    }

    deinit { pool.stop() }
}

/// Tokens in a batch: twice as many double the workspace of a compute thread and are hardly faster.
private let tokenBudget = 512
