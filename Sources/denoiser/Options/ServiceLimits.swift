import API
import FastCGI
import Inference
import System

/// The limits of the service and their defaults, as one value that can be compared.
///
/// `LimitOptions` declares an option for each member.
struct ServiceLimits: Equatable, Sendable {
    /// The defaults on this machine; the cores are those at the start.
    static let standard = ServiceLimits()

    /// What the routes check.
    var request = Limits()

    /// Tokens of a text that count; nil takes what the encoder's folder says.
    var tokens: Int?

    /// Bytes of a request's CGI variables.
    var parameterBytes = ServerLimits().parameterBytes

    /// Compute threads to start.
    var threads = availableCores()

    /// Threads that read requests and write answers.
    var requestThreads = ServerLimits().requestThreads

    /// Requests that may wait for such a thread.
    var queue = ServerLimits().queuedRequests

    /// Connections open at a time.
    var connections = ServerLimits().connections

    /// Seconds that a request other than an upload may take.
    var requestDeadline = 30

    /// Seconds that a request may wait for memory.
    var memoryWait = 2

    /// MiB of private memory that the process may take; nil leaves it to the memory plan.
    var memory: Int?

    /// Seconds that the training for an upload may take.
    var trainingTime = 3000

    /// Seconds that requests in flight may take once the service is told to stop.
    var stopTimeout = 10

    /// Milliseconds from which on a request is logged; 0 logs none.
    var slowLog = 1000

    /// Files, and other fields, of a form.
    var formParts: Int {
        get { request.form.files }
        set { (request.form.files, request.form.fields) = (newValue, newValue) }
    }

    /// The limits that the routes check.
    var requestLimits: Limits { request }

    /// The limits that the socket's server keeps.
    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.formThreads = min(max(requestThreads / 4, 2), 4)
        // With the forms three quarters; of few threads none would be left.
        limits.longThreads = max(
            requestThreads - requestThreads / 4 - limits.formThreads, min(requestThreads, 2))
        limits.requestThreads = max(requestThreads, limits.longThreads + limits.formThreads + 1)
        limits.queuedRequests = queue
        limits.connections = connections
        limits.parameterBytes = parameterBytes
        limits.stopTime = .seconds(stopTimeout)
        return limits
    }

    /// All limits in one line, as options; `tokens` is the encoder's own number.
    func summary(tokens: Int) -> String {
        LimitOptions.declared.compactMap { name, limit in
            switch limit.member {
            case .number(let path): "\(name) \(self[keyPath: path])"
            case .choice(let path): path == \ServiceLimits.tokens ? "\(name) \(tokens)" : nil
            }
        }.joined(separator: ", ")
    }
}
