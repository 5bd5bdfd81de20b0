internal import System
import API
import ArgumentParser
import FastCGI
import Inference

/// What all requests together may take.
struct LimitOptions: ParsableArguments {
    @OptionGroup var request: RequestLimitOptions

    @Option(
        help: "Compute threads (default: the cores this process may use).",
        transform: whole(1...1024))
    var computeThreads: Int?

    @Option(
        1...4096, help: "Threads that read requests and write answers.")
    var requestThreads = ServerLimits().requestThreads

    @Option(
        1...1_000_000, help: "Requests that may wait for such a thread; others are answered 503.")
    var queue = ServerLimits().queuedRequests

    @Option(
        1...1_000_000, help: "Connections open at a time; more wait in the kernel.")
    var connections = ServerLimits().connections

    @Option(
        .time,
        help: "How long a request may wait and be computed before it is answered 503; not uploads.",
        valueName: "seconds")
    var requestDeadline = 30

    @Option(
        .timeOrNone, help: "How long a request may wait for memory before it is answered 503.",
        valueName: "seconds")
    var memoryWait = 2

    @Option(
        help: ArgumentHelp(
            """
            The most private memory the process may take (default: what one of the largest requests \
            of each kind at a time needs, and a quarter of what the machine has beyond 1 GiB).
            """, valueName: "MiB"), transform: whole(1...(1 << 30)))
    var memory: Int?

    @Option(
        .time, help: "How long the training for an upload may take before it is ended.",
        valueName: "seconds")
    var trainingTime = 3000

    @Option(
        .timeOrNone, help: "How long requests in flight may take once the service is told to stop.",
        valueName: "seconds")
    var stopTimeout = 10

    @Option(
        .timeOrNone, help: "Log a line for each request that takes at least so long; 0 logs none.",
        valueName: "milliseconds")
    var slowLog = 1000

    /// Compute threads to start.
    var threads: Int { computeThreads ?? availableCores() }

    /// The limits the routes check.
    var requestLimits: Limits { request.limits }

    /// The limits the socket's server keeps.
    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.formThreads = min(max(requestThreads / 4, 2), 4)
        // With the forms three quarters; of few threads none would be left.
        limits.longThreads = max(
            requestThreads - requestThreads / 4 - limits.formThreads, min(requestThreads, 2))
        limits.requestThreads = max(requestThreads, limits.longThreads + limits.formThreads + 1)
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
