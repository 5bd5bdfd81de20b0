import ArgumentParser

/// How the service lives: configured, logged, and ended.
struct LifeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file of options, one `name = value` a line; options on the command line win. SIGHUP \
            reads it again.
            """, valueName: "file"))
    var config: String?

    @Flag(
        help: """
            Check configuration and files, tell what is wrong, and end: with 0 where all is well, \
            else 78.
            """)
    var check = false

    @Option(
        help: ArgumentHelp(
            """
            Append standard error, where the log goes, to this file; SIGUSR1 opens it again \
            (default: standard error as given).
            """, valueName: "file"))
    var log: String?

    @Option(help: "End after this many requests, for a supervisor to start anew (default: never).")
    var maxRequests: Int?

    @Option(
        help: ArgumentHelp(
            "End when no request came for so long (default: never).", valueName: "seconds"))
    var idleExit: Int?

    func validate() throws {
        for (name, value) in [("max-requests", maxRequests ?? 1), ("idle-exit", idleExit ?? 1)]
        where value < 1 {
            throw ValidationError("--\(name) is \(value); it must be at least 1.")
        }
    }
}
