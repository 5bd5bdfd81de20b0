import API
import ArgumentParser
import Inference

/// What one request may hold, and what all requests together may take; one declaration a limit.
struct LimitOptions: ParsableArguments {
    @Option(
        .bodyBytes, \.request.bodyBytes, memory: [.requests],
        help: "The largest body, in bytes, except of an upload.")
    var bodyBytes: Limit

    @Option(
        1...(1 << 40), \.request.uploadBytes, memory: [.uploads],
        help: "The largest upload, in bytes, with what a form puts around the text.")
    var uploadBytes: Limit

    @Option(
        1...10_000_000, \.request.texts, memory: [.requests],
        help: "The most texts in a request.")
    var texts: Limit

    @Option(
        2...TextEmbedder.mostTokens, choice: \.tokens,
        help: """
            The most tokens of a text that count, with the two at its ends; from 2 to 512 (default: \
            what the encoder's folder says, 256 if it says nothing).
            """)
    var tokens: Limit

    @Option(
        1...10_000_000, \.request.rows, memory: [.requests],
        help: "The most rows of embeddings in a request.")
    var rows: Limit

    @Option(
        1...1_000_000_000, \.request.trainingLines, memory: [.training],
        help: "The most lines in an upload; each takes 1.5 KB while it is trained on.")
    var lines: Limit

    // Printing a value is recursive; Python refuses deeper values too.
    @Option(
        1...Limits().jsonDepth, \.request.jsonDepth,
        help: "How many arrays and objects of JSON may lie within each other; at most 961.")
    var jsonDepth: Limit

    @Option(
        1...1_000_000_000, \.request.issues, memory: [.requests, .requestThreads],
        help: "The most errors listed in an answer.")
    var errors: Limit

    @Option(
        .bodyBytes, \.request.quotedBytes, memory: [.requests],
        help: "The most bytes of a request that errors quote.")
    var quotedBytes: Limit

    @Option(
        1...1_000_000, \.formParts,
        help: "The most files, and the most other fields, in a form.")
    var formParts: Limit

    @Option(
        .bodyBytes, \.request.form.fieldBytes,
        help: "The largest field of a form that is no file, in bytes.")
    var formFieldBytes: Limit

    @Option(
        1...1_000_000, \.request.form.headers,
        help: "The most header lines of a part of a form.")
    var formHeaders: Limit

    @Option(
        .bodyBytes, \.request.form.headerBytes, help: "The longest such line, in bytes.")
    var formHeaderBytes: Limit

    @Option(
        1024...131_072, \.parameterBytes,
        help: "The most bytes of a request's CGI variables; at most 131072.")
    var parameterBytes: Limit

    @Option(
        1...1024, \.threads, memory: [.computeThreads], help: "Compute threads",
        standard: "the cores this process may use")
    var computeThreads: Limit

    @Option(
        1...4096, \.requestThreads, memory: [.requestThreads, .connections],
        help: "Threads that read requests and write answers.")
    var requestThreads: Limit

    @Option(
        1...1_000_000, \.queue,
        help: "Requests that may wait for such a thread; others are answered 503.")
    var queue: Limit

    @Option(
        1...1_000_000, \.connections, memory: [.connections],
        help: "Connections open at a time; more wait in the kernel.")
    var connections: Limit

    @Option(
        .time, \.requestDeadline,
        help: "How long a request may wait and be computed before it is answered 503; not uploads.",
        valueName: "seconds")
    var requestDeadline: Limit

    @Option(
        .timeOrNone, \.memoryWait,
        help: "How long a request may wait for memory before it is answered 503.",
        valueName: "seconds")
    var memoryWait: Limit

    @Option(
        1...(1 << 30), choice: \.memory,
        help: """
            The most private memory the process may take (default: what one of the largest requests \
            of each kind at a time needs, and a quarter of what the machine has beyond 1 GiB).
            """, valueName: "MiB")
    var memory: Limit

    @Option(
        .time, \.trainingTime,
        help: "How long the training for an upload may take before it is ended.",
        valueName: "seconds")
    var trainingTime: Limit

    @Option(
        .timeOrNone, \.stopTimeout,
        help: "How long requests in flight may take once the service is told to stop.",
        valueName: "seconds")
    var stopTimeout: Limit

    @Option(
        .timeOrNone, \.slowLog,
        help: "Log a line for each request that takes at least so long; 0 logs none.",
        valueName: "milliseconds")
    var slowLog: Limit

    /// The limits as a value.
    var limits: ServiceLimits {
        var limits = ServiceLimits.standard
        for (_, limit) in declared { limit.set(&limits) }
        return limits
    }

    /// All limits as they are declared, with their options' names and their defaults.
    static let declared: [(name: String, limit: Limit)] = {
        guard let options = try? LimitOptions.parse([]) else {
            preconditionFailure("the options of limits have no defaults")
        }
        return options.declared
    }()

    private var declared: [(name: String, limit: Limit)] {
        Mirror(reflecting: self).children.compactMap { property in
            guard let label = property.label, let option = property.value as? Option<Limit> else {
                return nil
            }
            return (optionName(label), option.wrappedValue)
        }
    }
}

/// The name of the option that a property declares: "body-bytes" for "_bodyBytes".
private func optionName(_ label: String) -> String {
    label.drop { $0 == "_" }.reduce(into: "") { name, letter in
        name += letter.isUppercase ? "-\(letter.lowercased())" : String(letter)
    }
}
