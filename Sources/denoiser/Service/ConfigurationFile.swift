import ArgumentParser
import Glibc

/// A file of `serve` options: `name = value` or, for a flag, `name` on a line of its own.
///
/// Blank lines and lines that begin with `#` say nothing. A name is an option's without its dashes;
/// everything behind the first `=` is the value, without the spaces around it.
struct ConfigurationFile {
    /// One option as the command line would have it.
    private struct Entry {
        var name: String
        var argument: String
    }

    private var entries: [Entry] = []

    /// Options that only make sense on a command line.
    private static let refused: Set<String> = ["config", "check", "help", "version", "h"]

    /// Names that exclude each other: one on the command line puts those in the file out of force.
    private static let alternatives: Set<String> = ["socket", "listen"]

    /// Reads the file at `path`.
    ///
    /// - Throws: a line that is wrong, with its number.
    init(reading path: String) throws(CommandFailure) {
        let bytes: [UInt8]
        do throws(CommandFailure) { bytes = try readSettings(path) } catch {
            throw .configuration("\(error) (--config names it)", isPassing: error.isPassing)
        }
        if let fault = UTF8Fault(in: bytes) { throw .configuration("\(path), \(fault)") }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let line = trimmed(line)
            if line.isEmpty || line.hasPrefix("#") { continue }
            do throws(Fault) {
                if let entry = try Self.entry(line) { entries.append(entry) }
            } catch {
                throw .configuration("\(path):\(index + 1): \(error.text)")
            }
        }
    }

    /// The file's options as arguments, without those that `arguments` decide otherwise.
    func arguments(before arguments: [String]) -> [String] {
        var decided = Set(
            arguments.filter { $0.hasPrefix("--") }.map { argument in
                String(argument.dropFirst(2).prefix { $0 != "=" })
            })
        if !decided.isDisjoint(with: Self.alternatives) { decided.formUnion(Self.alternatives) }
        return entries.filter { !decided.contains($0.name) }.map(\.argument) + arguments
    }

    private struct Fault: Error { let text: String }

    /// A line's option, tried on the parser alone so that a fault is this line's; nil for a flag
    /// that is switched off.
    private static func entry(_ line: String) throws(Fault) -> Entry? {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = trimmed(parts[0])
        guard !name.isEmpty, !name.hasPrefix("-"), !name.contains(where: \.isWhitespace) else {
            throw Fault(text: "\"\(line)\" is not `name = value`, the name without dashes")
        }
        guard !refused.contains(name) else {
            throw Fault(text: "\(name) belongs on the command line")
        }
        let isFlag = (try? Serve.parse(["--\(name)"])) != nil
        guard parts.count == 2 else {
            if !isFlag { try check("--\(name)") }
            return Entry(name: name, argument: "--\(name)")
        }
        let value = trimmed(parts[1])
        guard isFlag else {
            let argument = "--\(name)=\(value)"
            try check(argument)
            return Entry(name: name, argument: argument)
        }
        switch value {
        case "true", "yes", "on", "1": return Entry(name: name, argument: "--\(name)")
        case "false", "no", "off", "0": return nil
        default: throw Fault(text: "\(name) is \"\(value)\"; it must be true or false")
        }
    }

    private static func check(_ argument: String) throws(Fault) {
        do { _ = try Serve.parse([argument]) } catch {
            throw Fault(text: oneLine(Serve.message(for: error)))
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
