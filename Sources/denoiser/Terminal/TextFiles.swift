import ArgumentParser

/// The files that a command reads its lines from.
struct TextFiles: ParsableArguments {
    @Argument(help: ArgumentHelp("The same as --input.", valueName: "file"))
    var files: [String] = []

    @OptionGroup var named: InputFiles

    /// Fails if `command` was given no file.
    ///
    /// Only now: as a part of parsing it would hide an option that does not exist.
    func require(for command: any ParsableCommand.Type) throws(CommandFailure) {
        guard paths.isEmpty else { return }
        throw .usage(
            "There is no text: name a file with --input; - is standard input "
                + "(see: denoiser help \(command._commandName))")
    }

    /// The paths of all files, in order.
    var paths: [String] { files + named.input }

    /// Their names in one line.
    var names: String { paths.map(nameOfFile).joined(separator: ", ") }

    /// The text of all files.
    func read() throws(CommandFailure) -> TrainingText { try TrainingText(reading: paths) }
}

/// The option that names files of texts.
struct InputFiles: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A file with a text on each line; - is standard input; repeatable.", valueName: "file"))
    var input: [String] = []
}
