import ArgumentParser

/// A command line that cannot be understood, in one line that says what would help.
struct UsageFault {
    /// The line, without its end.
    let text: String

    /// - Parameters:
    ///   - message: what the parser says is wrong.
    ///   - arguments: the command line without the program's name.
    init(_ message: String, arguments: [String]) {
        let name = arguments.first ?? ""
        let command = Denoiser.configuration.subcommands.first { $0._commandName == name }
        var text = oneLine(message)
        if text.hasSuffix(".") { text.removeLast() }
        if !text.hasPrefix("Missing value"),
            let dashed = command.flatMap({ Self.textWithDash(in: arguments.dropFirst(), of: $0) })
        {
            text += text.hasSuffix("?") ? " A" : "; a"
            text += " text that begins with - stands behind --: denoiser \(name) -- \"\(dashed)\""
        } else {
            text += " (see: denoiser help\(command == nil ? "" : " \(name)"))"
        }
        self.text = text
    }

    /// The fault of an option that is none, but was taken for a question for help or the version
    /// because of one letter or the beginning: `-h5`, `--version=2`.
    static func misread(_ arguments: [String]) -> UsageFault? {
        let options = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("-") }
        guard arguments.first != "help",
            options.allSatisfy({ !["-h", "--help", "--version"].contains($0) }),
            let option = options.first(where: { option in
                option.hasPrefix("--")
                    ? ["--help=", "--version="].contains(where: option.hasPrefix)
                    : option.contains("h")
            })
        else { return nil }
        return UsageFault("Unknown option '\(option)'", arguments: arguments)
    }

    /// The first argument that looks like an option and is none of a command that takes texts.
    private static func textWithDash(
        in arguments: some Sequence<String>, of command: any ParsableCommand.Type
    ) -> String? {
        guard command is any TakesTexts.Type else { return nil }
        let known = Set(
            command.helpMessage().split { !($0.isLetter || $0 == "-") }.filter {
                $0.hasPrefix("-")
            })
        return arguments.prefix { $0 != "--" }.first { argument in
            argument.hasPrefix("-") && argument != "-"
                && !known.contains(argument.prefix { $0 != "=" })
        }
    }
}

/// A command whose arguments are texts.
protocol TakesTexts {}

extension Embed: TakesTexts {}
extension Denoise: TakesTexts {}
extension Similarity: TakesTexts {}
extension Tokenize: TakesTexts {}
