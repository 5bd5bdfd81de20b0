import ArgumentParser

/// How the service is configured and logged, and when it ends.
struct LifeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A file of options, one `name = value` a line, - for standard input; options on the \
            command line win. SIGHUP reads it again, but not standard input.
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

    @Option(
        help: "End after this many requests, for a supervisor to start anew (default: never).",
        transform: whole(1...1_000_000_000_000))
    var maxRequests: Int?

    @Option(
        help: ArgumentHelp(
            "End when no request came for so long (default: never).", valueName: "seconds"),
        transform: whole(.time))
    var idleExit: Int?
}
