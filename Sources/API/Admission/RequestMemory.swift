public import System
internal import Inference
internal import Synchronization

/// The memory that requests share, in parts.
///
/// Invariant: every request reserves the parts in this order, so no two wait for each other.
public struct MemoryBudgets: Sendable {
    /// For bodies of JSON, from their first byte to the end of the answer.
    public let bodies: ByteBudget
    /// For uploads, likewise.
    public let uploads: ByteBudget
    /// For reading JSON, up to the last error or the last value.
    public let parsing: ByteBudget
    /// For denoised rows and their text.
    public let answers: ByteBudget

    /// How long a request waits for each part.
    public let patience: Duration

    public init(
        bodies: ByteBudget, uploads: ByteBudget, parsing: ByteBudget, answers: ByteBudget,
        patience: Duration
    ) {
        self.bodies = bodies
        self.uploads = uploads
        self.parsing = parsing
        self.answers = answers
        self.patience = patience
    }

    /// The parts under their names in the metrics.
    public var all: [(name: String, budget: ByteBudget)] {
        [("bodies", bodies), ("uploads", uploads), ("parsing", parsing), ("answers", answers)]
    }
}

/// The memory that one request has reserved, until `end`.
public final class RequestMemory: Sendable {
    private let budgets: MemoryBudgets
    private let limits: Limits
    private let state = Mutex(State())

    private struct State {
        var held: [(budget: ByteBudget, bytes: Int)] = []
        var waited = Duration.zero
    }

    /// Reserves nothing of `budgets` so far.
    public init(_ budgets: MemoryBudgets, limits: Limits) {
        self.budgets = budgets
        self.limits = limits
    }

    /// How long the request waited for memory.
    public var waited: Duration { state.withLock { $0.waited } }

    /// Gives everything back; returns how many bytes that was.
    @discardableResult
    public func end() -> Int {
        state.withLock { state in
            for (budget, bytes) in state.held { budget.giveBack(bytes) }
            defer { state.held = [] }
            return state.held.reduce(0) { $0 + $1.bytes }
        }
    }

    /// Reserves memory for a JSON body of `length` bytes.
    func admitBody(_ length: Int, for caller: Caller) throws(BodyError) {
        guard length > Limits.freeBodyBytes else { return }
        try take(limits.bodyCost(length), of: budgets.bodies, for: caller)
    }

    /// Reserves memory for an upload of `length` bytes.
    func admitUpload(_ length: Int, for caller: Caller) throws(BodyError) {
        guard length > Limits.freeBodyBytes else { return }
        try take(length, of: budgets.uploads, for: caller)
    }

    /// Reserves memory for parsing a JSON body of `length` bytes.
    func admitParsing(_ length: Int, for caller: Caller) throws(BodyError) {
        guard length > Limits.freeBodyBytes else { return }
        try take(limits.parsingCost(length), of: budgets.parsing, for: caller)
    }

    /// Reserves memory for an answer of `rows` rows, after giving that for parsing back.
    func admitAnswer(rows: Int, for caller: Caller) throws(BodyError) {
        state.withLock { state in
            for (budget, bytes) in state.held where budget === budgets.parsing {
                budget.giveBack(bytes)
            }
            state.held.removeAll { $0.budget === budgets.parsing }
        }
        guard rows > Limits.freeRows else { return }
        try take(limits.answerCost(rows: rows), of: budgets.answers, for: caller)
    }

    private func take(
        _ bytes: Int, of budget: ByteBudget, for caller: Caller
    ) throws(BodyError) {
        let began = ContinuousClock.now
        let patience = began + budgets.patience
        let latest = caller.deadline.map { min($0, patience) } ?? patience
        guard budget.take(bytes, before: latest, unless: caller.hasLeft) else {
            throw caller.hasLeft() ? .callerLeft : .noRoom
        }
        state.withLock { state in
            state.held.append((budget, bytes))
            state.waited += began.duration(to: .now)
        }
    }
}
