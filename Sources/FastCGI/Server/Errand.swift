/// What a request will take of the server, as far as its head and the beginning of its body tell.
public struct Errand: Sendable {
    /// Lines in which requests wait for threads, so that the one kind does not wait behind the other.
    public enum Lane: Int, Sendable, CaseIterable {
        /// Without a body there is little to do: a question after the server's health.
        case bodiless
        /// Done soon.
        case short
        /// May take long.
        case long
        /// Takes very long, or waits for what does.
        case form
    }

    /// The line.
    public var lane: Lane

    /// How much there is to do; who has less comes first in a line, though not for ever.
    public var size: Int

    public init(_ lane: Lane, size: Int = 0) {
        self.lane = lane
        self.size = size
    }
}

/// How requests are sorted into lines, and which are turned away at the door; asked on the polling thread.
public struct Triage: Sendable {
    /// What a request with a body will take.
    public var errand: @Sendable (RequestHead) -> Errand

    /// The answer if a long request has no chance, behind others of that size in all; nil lets it wait.
    ///
    /// Of many such answers some are kept back for up to a second.
    public var refusal: @Sendable (Errand, _ ahead: Int) -> Answer?

    /// How long a request may wait for a thread by now; nil takes the server's limit.
    public var queueTime: (@Sendable () -> Duration)?

    /// One that takes all requests with a body for short.
    public init(
        errand: @escaping @Sendable (RequestHead) -> Errand = { Errand(.short, size: $0.gathered) },
        refusal: @escaping @Sendable (Errand, _ ahead: Int) -> Answer? = { _, _ in nil },
        queueTime: (@Sendable () -> Duration)? = nil
    ) {
        self.errand = errand
        self.refusal = refusal
        self.queueTime = queueTime
    }
}

/// A request before a thread has it.
public struct RequestHead: Sendable {
    private let parameters: [UInt8]

    /// Bytes of the body that are there.
    public let gathered: Int

    /// Whether those are all.
    public let isWhole: Bool

    init(_ gate: RecordGate) {
        parameters = gate.parameters
        gathered = gate.bodyLength
        isWhole = gate.phase == .ended
    }

    /// The bytes of a CGI variable, of which the last counts; nil where it is absent.
    public subscript(name: StaticString) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        for pair in ParameterPairs(parameters[...])
        where pair.name.count == name.utf8CodeUnitCount
            && pair.name.elementsEqual(name.description.utf8)
        {
            found = pair.value
        }
        return found
    }

    /// The length of the body: what is declared, of which more than a tebibyte makes no difference, or what is there.
    public var length: Int {
        var length = 0
        for byte in self["CONTENT_LENGTH"] ?? [] {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte, length < 1 << 40 else {
                break
            }
            length = length * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return max(length, gathered)
    }
}
