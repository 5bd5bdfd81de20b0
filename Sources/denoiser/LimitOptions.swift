import API
import ArgumentParser
import FastCGI
import Inference

/// What all requests together may take.
struct LimitOptions: ParsableArguments {
    @OptionGroup var request: RequestLimitOptions

    @Option(help: "Compute threads (default: the cores this process may use).")
    var computeThreads: Int?

    @Option(help: "Threads that read requests and write answers.")
    var requestThreads = ServerLimits().requestThreads

    @Option(help: "Requests that may wait for such a thread; others are answered 503.")
    var queue = ServerLimits().queuedRequests

    @Option(help: "Connections open at a time; more wait in the kernel.")
    var connections = ServerLimits().connections

    @Option(
        help: ArgumentHelp(
            "How long a request may wait and be computed before it is answered 503; not uploads.",
            valueName: "seconds"))
    var requestDeadline = 30

    @Option(
        help: ArgumentHelp(
            "How long a request may wait for memory before it is answered 503.",
            valueName: "seconds"))
    var memoryWait = 2

    @Option(
        help: ArgumentHelp(
            """
            The most private memory the process may take (default: what one of the largest requests \
            of each kind at a time needs, and a quarter of what the machine has beyond 1 GiB).
            """, valueName: "MiB"))
    var memory: Int?

    @Option(
        help: ArgumentHelp(
            "How long the training for an upload may take before it is ended.",
            valueName: "seconds"))
    var trainingTime = 3000

    @Option(
        help: ArgumentHelp(
            "How long requests in flight may take once the service is told to stop.",
            valueName: "seconds"))
    var stopTimeout = 10

    @Option(
        help: ArgumentHelp(
            "Log a line for each request that takes at least so long; 0 logs none.",
            valueName: "milliseconds"))
    var slowLog = 1000

    func validate() throws {
        for (name, value) in [
            ("request-threads", requestThreads), ("compute-threads", computeThreads ?? 1),
            ("queue", queue), ("connections", connections), ("request-deadline", requestDeadline),
            ("training-time", trainingTime), ("memory", memory ?? 1),
        ] where value < 1 {
            throw ValidationError("--\(name) is \(value); it must be at least 1.")
        }
        for (name, value) in [
            ("stop-timeout", stopTimeout), ("memory-wait", memoryWait), ("slow-log", slowLog),
        ] where value < 0 {
            throw ValidationError("--\(name) is \(value); it must be at least 0.")
        }
    }

    /// Compute threads to start.
    var threads: Int { computeThreads ?? availableCores() }

    /// The limits the routes check.
    var requestLimits: Limits { request.limits }

    /// The limits the socket's server keeps.
    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.requestThreads = requestThreads
        limits.queuedRequests = queue
        limits.connections = connections
        limits.parameterBytes = request.parameterBytes
        limits.stopTime = .seconds(stopTimeout)
        return limits
    }

    /// All of them in one line, as options, with what counts for `tokens` where that is known.
    func summary(tokens: Int? = nil) -> String {
        let all: [(name: String, value: Int)] =
            request.all + [
                ("compute-threads", threads), ("request-threads", requestThreads),
                ("queue", queue), ("connections", connections),
                ("request-deadline", requestDeadline), ("memory-wait", memoryWait),
                ("training-time", trainingTime), ("stop-timeout", stopTimeout),
                ("slow-log", slowLog),
            ]
        return all.map { name, value in
            "\(name) \(name == "tokens" ? tokens ?? value : value)"
        }.joined(separator: ", ")
    }
}
