import ArgumentParser
import Glibc

/// A file of a command's options: a line is `name = value` or, for a flag, `name`.
///
/// Blank lines and lines that begin with `#` are ignored. The name is the option's without its
/// dashes. The value is everything behind the first `=`, without the spaces around it.
struct ConfigurationFile {
    /// One option as an argument of a command line.
    private struct Entry {
        var name: String
        var argument: String
    }

    private var entries: [Entry] = []

    /// Options that may stand in several lines.
    static let repeatable: Set<String> = [
        "allow-user", "allowed-host", "model-alias", "upload-origin",
    ]

    /// Options that belong on a command line only.
    private static let refused: Set<String> = ["config", "check", "help", "version", "h"]

    /// Names that exclude each other: one on the command line overrides those in the file.
    private static let alternatives: Set<String> = ["socket", "listen"]

    /// Reads the file of options of `command` at `path`.
    ///
    /// - Throws: the first wrong line, with its number.
    init(
        reading path: String, of command: any ParsableCommand.Type
    ) throws(CommandFailure) {
        let bytes: [UInt8]
        do throws(CommandFailure) { bytes = try readSettings(path) } catch {
            throw .configuration("\(error) (--config names it)", isPassing: error.isPassing)
        }
        let text = try textOfSettings(bytes, at: path)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        var places: [String: Int] = [:]
        for (index, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            do throws(Fault) {
                let (name, entry) = try Self.entry(line, of: command)
                if let first = places.updateValue(index + 1, forKey: name),
                    !Self.repeatable.contains(name)
                {
                    throw Fault(
                        text: "\(name) stands in line \(first), too; one of the two must go")
                }
                if let entry { entries.append(entry) }
            } catch {
                throw .configuration("\(path):\(index + 1): \(error.text)")
            }
        }
    }

    /// The file's options and `arguments`, which override the file's.
    func arguments(before arguments: [String]) -> [String] {
        var decided = Set(
            arguments.filter { $0.hasPrefix("--") }.map { argument in
                String(argument.dropFirst(2).prefix { $0 != "=" })
            })
        if !decided.isDisjoint(with: Self.alternatives) { decided.formUnion(Self.alternatives) }
        return entries.filter { !decided.contains($0.name) }.map(\.argument) + arguments
    }

    private struct Fault: Error { let text: String }

    /// A line's name and its option; nil for a flag that is switched off.
    ///
    /// The option is tried on the parser alone, so that a fault is this line's.
    private static func entry(
        _ line: String, of command: any ParsableCommand.Type
    ) throws(Fault) -> (name: String, entry: Entry?) {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = trimmed(parts[0])
        guard !name.isEmpty, !name.hasPrefix("-"), !name.contains(where: \.isWhitespace) else {
            throw Fault(text: "\"\(line)\" is not `name = value`, the name without dashes")
        }
        guard !refused.contains(name) else {
            throw Fault(text: "\(name) belongs on the command line")
        }
        let isFlag = (try? command.parse(["--\(name)"])) != nil
        guard parts.count == 2 else {
            if !isFlag { try check("--\(name)", of: command) }
            return (name, Entry(name: name, argument: "--\(name)"))
        }
        let value = trimmed(parts[1])
        guard isFlag else {
            let argument = "--\(name)=\(value)"
            try check(argument, of: command)
            return (name, Entry(name: name, argument: argument))
        }
        switch value {
        case "true", "yes", "on", "1": return (name, Entry(name: name, argument: "--\(name)"))
        case "false", "no", "off", "0": return (name, nil)
        default: throw Fault(text: "\(name) is \"\(value)\"; it must be true or false")
        }
    }

    private static func check(
        _ argument: String, of command: any ParsableCommand.Type
    ) throws(Fault) {
        do { _ = try command.parse([argument]) } catch {
            throw Fault(text: oneLine(command.message(for: error)))
        }
    }
}

/// `text` with its lines joined by spaces.
func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

private func trimmed(_ text: some StringProtocol) -> String {
    guard let first = text.firstIndex(where: { !$0.isWhitespace }),
        let last = text.lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(text[first...last])
}
