import ArgumentParser
import Glibc
import JSON

/// Where a command's texts come from: arguments, files, or standard input.
struct TextInput: ParsableArguments {
    @Argument(help: "Texts. Without any, they are read from --input or standard input.")
    var texts: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A file with a text on each line; - is standard input.", valueName: "file"))
    var input: String?

    @Flag(help: "Each line is a JSON string, so that a text may hold line breaks.")
    var jsonl = false

    func validate() throws {
        if input != nil, !texts.isEmpty {
            throw ValidationError("Give texts as arguments or with --input, not both.")
        }
    }

    /// The texts in order; an empty line is an empty text.
    func read() throws(CommandFailure) -> [String] {
        guard texts.isEmpty else { return texts }
        let name = input ?? "-"
        return try lines(of: readFile(name), name: name == "-" ? "standard input" : name)
    }

    private func lines(of bytes: [UInt8], name: String) throws(CommandFailure) -> [String] {
        var result: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            var line = rest[..<end]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            rest = end < rest.endIndex ? rest[(end + 1)...] : []
            result.append(try text(of: line, at: "\(name), line \(result.count + 1)"))
        }
        return result
    }

    private func text(of line: ArraySlice<UInt8>, at place: String) throws(CommandFailure) -> String
    {
        guard jsonl else {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw .data("\(place): not UTF-8")
            }
            return text
        }
        do throws(JSONError) {
            if case .string(let text) = try JSONValue(parsing: Array(line)) { return text }
        } catch {
            throw .data("\(place): not JSON: \(error)")
        }
        throw .data("\(place): with --jsonl a line is a JSON string, such as \"a text\"")
    }
}

/// The bytes of the file at `path`, "-" being standard input.
func readFile(_ path: String) throws(CommandFailure) -> [UInt8] {
    let descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot read \(path)", errno) }
    defer { if descriptor != 0 { close(descriptor) } }
    var bytes: [UInt8] = []
    var size = stat()
    if unsafe fstat(descriptor, &size) == 0, size.st_size > 0 {
        bytes.reserveCapacity(Int(size.st_size))
    }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR { continue }
            throw .system("cannot read \(path)", errno)
        }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}
