import API
import ArgumentParser
import FastCGI
import Inference

/// What one request, and all of them together, may take.
struct LimitOptions: ParsableArguments {
    @Option(help: "The largest body, in bytes, except of an upload.")
    var bodyBytes = Limits().bodyBytes

    @Option(help: "The largest upload, in bytes.")
    var uploadBytes = Limits().uploadBytes

    @Option(help: "The most texts in a request.")
    var texts = Limits().texts

    @Option(help: "The most rows of embeddings in a request.")
    var rows = Limits().rows

    @Option(help: "The most lines in an upload.")
    var lines = Limits().trainingLines

    @Option(help: "Compute threads (default: the cores this process may use).")
    var computeThreads: Int?

    @Option(help: "Threads that read requests and write answers.")
    var requestThreads = ServerLimits().requestThreads

    @Option(
        help: ArgumentHelp(
            "How long requests in flight may take once the service is told to stop.",
            valueName: "seconds"))
    var stopTimeout = 10

    func validate() throws {
        for (name, value) in [
            ("body-bytes", bodyBytes), ("upload-bytes", uploadBytes), ("texts", texts),
            ("rows", rows), ("lines", lines), ("request-threads", requestThreads),
            ("compute-threads", computeThreads ?? 1),
        ] where value < 1 {
            throw ValidationError("--\(name) is \(value); it must be at least 1.")
        }
        guard stopTimeout >= 0 else {
            throw ValidationError("--stop-timeout is \(stopTimeout); it must be at least 0.")
        }
    }

    /// Compute threads to start.
    var threads: Int { computeThreads ?? availableCores() }

    /// The limits the routes check.
    var requestLimits: Limits {
        var limits = Limits()
        limits.bodyBytes = bodyBytes
        limits.uploadBytes = uploadBytes
        limits.texts = texts
        limits.rows = rows
        limits.trainingLines = lines
        return limits
    }

    /// The limits the socket's server keeps.
    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.requestThreads = requestThreads
        limits.stopTime = .seconds(stopTimeout)
        return limits
    }
}
