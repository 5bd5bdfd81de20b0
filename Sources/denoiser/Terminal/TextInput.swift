import ArgumentParser
import Glibc
import Inference
import JSON
import System

/// The texts of a command, from arguments, files or standard input.
struct TextInput: ParsableArguments {
    @Argument(
        help: """
            Texts; one that begins with - stands behind --. Without any, they are read from --input \
            or standard input.
            """)
    var texts: [String] = []

    @OptionGroup var named: InputFiles

    @Flag(
        help: """
            Each line is a JSON string, so that a text may hold line breaks; blank lines are skipped.
            """)
    var jsonl = false

    func validate() throws {
        if !named.input.isEmpty, !texts.isEmpty {
            throw ValidationError("Give texts as arguments or with --input, not both.")
        }
        if jsonl, !texts.isEmpty {
            throw ValidationError(
                "--jsonl is for lines of --input or standard input; texts as arguments are taken as "
                    + "they are.")
        }
    }

    /// The texts in order; an empty line is an empty text.
    func read() throws(CommandFailure) -> InputTexts {
        var result = InputTexts(texts: texts)
        guard texts.isEmpty else {
            if let name = fileNamed(in: texts) {
                let lines = name == "-" ? "standard input" : "that file"
                log("\"\(name)\" is taken as a text; --input \(name) takes the lines of \(lines)")
            }
            return result
        }
        for path in named.input.isEmpty ? ["-"] : named.input {
            try add(linesOf: readText(path), in: nameOfFile(at: path), to: &result)
        }
        return result
    }

    private func add(
        linesOf bytes: [UInt8], in name: String, to result: inout InputTexts
    ) throws(CommandFailure) {
        result.files.append(name)
        for (index, line) in TextLines(of: bytes).enumerated() {
            if jsonl, bytes[line].allSatisfy(isJSONSpace) { continue }
            let place = "\(name), line \(index + 1)"
            result.texts.append(try text(of: bytes[line], at: place))
            result.lines.append((result.files.count - 1, index + 1))
        }
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

/// A command's texts, and their names in messages.
struct InputTexts {
    var texts: [String] = []

    /// The files' names; none for arguments.
    var files: [String] = []

    /// The file, by its index, and the line, from 1, of each text; none for arguments.
    var lines: [(file: Int, line: Int)] = []

    /// The name of text `index`, from 0, in messages.
    func place(of index: Int) -> String {
        guard !lines.isEmpty else { return "text \(index + 1)" }
        return "\(files[lines[index].file]), line \(lines[index].line)"
    }
}

/// Says on standard error how many texts were cut, and which the first of them is.
func tell(_ truncated: TruncatedTexts, limit: Int, place: (Int) -> String) {
    guard let first = truncated.first else { return }
    let texts = truncated.count == 1 ? "1 text was" : "\(truncated.count) texts were"
    let which = truncated.count == 1 ? "" : "the first is "
    writeStandardError(
        "denoiser: \(texts) cut at \(limit) tokens: \(which)\(place(first))\n")
}

private func isJSONSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// The first of `texts` that names something that can be read; nil if none does.
///
/// That is a file, a pipe such as a shell's `<(…)`, a device, or `-` for standard input.
func fileNamed(in texts: [String]) -> String? {
    texts.first { text in
        var status = stat()
        guard text != "-" else { return true }
        return unsafe stat(text, &status) == 0
            && ![S_IFDIR, S_IFSOCK].contains(status.st_mode & S_IFMT) && access(text, R_OK) == 0
    }
}

/// The text of the file at `path`, "-" being standard input: bytes that are UTF-8.
func readText(_ path: String) throws(CommandFailure) -> [UInt8] {
    let bytes = try readFile(path)
    if bytes.starts(with: [0x1F, 0x8B]) {
        throw .data(
            "\(nameOfFile(at: path)): gzip-compressed; give the text itself: gunzip -c FILE | denoiser ..."
        )
    }
    if let fault = UTF8Fault(in: bytes) { throw .data("\(nameOfFile(at: path)), \(fault)") }
    return bytes
}

/// The name of the file at `path` in messages.
func nameOfFile(at path: String) -> String { path == "-" ? "standard input" : path }

/// The bytes of the file at `path`, "-" being standard input.
func readFile(_ path: String) throws(CommandFailure) -> [UInt8] {
    do throws(SystemError) {
        return path == "-" ? try readToEnd(0) : try readWholeFile(path)
    } catch {
        throw .system("cannot read \(nameOfFile(at: path))", error.code)
    }
}
