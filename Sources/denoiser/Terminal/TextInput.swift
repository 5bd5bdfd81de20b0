import ArgumentParser
import Glibc
import Inference
import JSON

/// Where a command's texts come from: arguments, files, or standard input.
struct TextInput: ParsableArguments {
    @Argument(
        help: """
            Texts; one that begins with - stands behind --. Without any, they are read from --input \
            or standard input.
            """)
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
    func read() throws(CommandFailure) -> InputTexts {
        guard texts.isEmpty else { return InputTexts(texts: texts) }
        let file = input ?? "-"
        return try lines(of: readText(file), name: named(file))
    }

    private func lines(of bytes: [UInt8], name: String) throws(CommandFailure) -> InputTexts {
        var result = InputTexts(source: name)
        for (index, line) in TextLines(of: bytes).enumerated() {
            result.texts.append(try text(of: bytes[line], at: "\(name), line \(index + 1)"))
            result.lines.append(index + 1)
        }
        return result
    }

    private func text(of line: ArraySlice<UInt8>, at place: String) throws(CommandFailure) -> String
    {
        guard jsonl else { return String(decoding: line, as: UTF8.self) }
        do throws(JSONError) {
            if case .string(let text) = try JSONValue(parsing: Array(line)) { return text }
        } catch {
            throw .data("\(place): not JSON: \(error)")
        }
        throw .data("\(place): with --jsonl a line is a JSON string, such as \"a text\"")
    }
}

/// A command's texts, and what they are called in messages.
struct InputTexts {
    var texts: [String] = []

    /// The file's name; nil for arguments.
    var source: String?

    /// The line each text stands on, from 1; not for arguments.
    var lines: [Int] = []

    /// What text `index`, from 0, is called.
    func place(of index: Int) -> String {
        source.map { "\($0), line \(lines[index])" } ?? "text \(index + 1)"
    }
}

/// The text of the file at `path`, "-" being standard input: bytes that are UTF-8.
func readText(_ path: String) throws(CommandFailure) -> [UInt8] {
    let bytes = try readFile(path)
    if bytes.starts(with: [0x1F, 0x8B]) {
        throw .data(
            "\(named(path)): gzip-compressed; give the text itself: gunzip -c FILE | denoiser ...")
    }
    if let fault = UTF8Fault(in: bytes) { throw .data("\(named(path)), \(fault)") }
    return bytes
}

/// What to call the file at `path`.
func named(_ path: String) -> String { path == "-" ? "standard input" : path }

/// The bytes of the file at `path`, "-" being standard input.
func readFile(_ path: String) throws(CommandFailure) -> [UInt8] {
    let descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("cannot read \(named(path))", errno) }
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
            throw .system("cannot read \(named(path))", errno)
        }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}
