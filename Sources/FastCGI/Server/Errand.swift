/// An estimate of a request's work, from its head and the beginning of its body.
public struct Errand: Sendable {
    /// Lines in which requests wait for threads, so that short ones do not wait behind long ones.
    public enum Lane: Int, Sendable, CaseIterable {
        /// Has no body and little work, such as a request for the server's health.
        case bodiless
        /// Takes little time.
        case short
        /// May take a long time.
        case long
        /// Takes a very long time, or waits for another one that does.
        case form
    }

    /// The line.
    public var lane: Lane

    /// The amount of work.
    ///
    /// Less work comes first in a line, though not always.
    public var size: Int

    public init(_ lane: Lane, size: Int = 0) {
        self.lane = lane
        self.size = size
    }
}

/// Sorts requests into lines and refuses hopeless ones; runs on the polling thread.
public struct Triage: Sendable {
    /// Estimates a request with a body.
    public var errand: @Sendable (RequestHead) -> Errand

    /// The answer if a long request has no chance behind others of a total size; nil lets it wait.
    ///
    /// If there are many such answers, some are kept back for up to a second.
    public var refusal: @Sendable (RequestHead, Errand, _ ahead: Int) -> Answer?

    /// The answer to a request if threads and queue are full, or if it waited too long.
    public var busyAnswer: @Sendable (RequestHead) -> Answer

    /// The current limit of a request's wait for a thread; nil uses the server's limit.
    public var queueTime: (@Sendable () -> Duration)?

    /// A triage that puts all requests with a body into the line `short`.
    public init(
        errand: @escaping @Sendable (RequestHead) -> Errand = { Errand(.short, size: $0.gathered) },
        refusal: @escaping @Sendable (RequestHead, Errand, _ ahead: Int) -> Answer? = {
            _, _, _ in nil
        },
        busyAnswer: @escaping @Sendable (RequestHead) -> Answer = { _ in .busy },
        queueTime: (@Sendable () -> Duration)? = nil
    ) {
        self.errand = errand
        self.refusal = refusal
        self.busyAnswer = busyAnswer
        self.queueTime = queueTime
    }
}

/// A request before a thread receives it.
public struct RequestHead: Sendable {
    private let parameters: [UInt8]

    /// Bytes of the body received so far.
    public let gathered: Int

    /// Whether those are all.
    public let isWhole: Bool

    init(_ gate: RecordGate) {
        parameters = gate.parameters
        gathered = gate.bodyLength
        isWhole = gate.phase == .ended
    }

    /// The bytes of a CGI variable, the last one if there are several; nil if it is absent.
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

    /// The length of the body: the declared one, cut off beyond a tebibyte, or the bytes received
    /// if those are more.
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
