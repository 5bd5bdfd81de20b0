import ArgumentParser

/// The files that a command reads its lines from.
struct TextFiles: ParsableArguments {
    @Argument(help: ArgumentHelp("The same as --input.", valueName: "file"))
    var files: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A file with a text on each line; - is standard input; repeatable.", valueName: "file"))
    var input: [String] = []

    func validate() throws {
        guard !paths.isEmpty else {
            throw ValidationError(
                "There is no text: name a file with --input; - is standard input.")
        }
    }

    /// All of them, in order.
    var paths: [String] { files + input }

    /// Their names in one line.
    var names: String { paths.map(named).joined(separator: ", ") }

    /// The text of all.
    func read() throws(CommandFailure) -> TrainingText { try TrainingText(reading: paths) }
}
