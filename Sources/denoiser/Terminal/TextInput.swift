import ArgumentParser
import Glibc
import Inference
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
    func open() throws(CommandFailure) -> TextReader {
        guard texts.isEmpty else {
            if let name = fileNamed(in: texts) {
                let lines = name == "-" ? "standard input" : "that file"
                log("\"\(name)\" is taken as a text; --input \(name) takes the lines of \(lines)")
            }
            return TextReader(texts)
        }
        let paths = named.input.isEmpty ? ["-"] : named.input
        return TextReader(linesOf: try paths.map(TextFile.init), isJSON: jsonl)
    }
}

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
    if bytes.starts(with: gzipMagic) { throw gzipFault(nameOfFile(at: path)) }
    if let fault = UTF8Fault(in: bytes) { throw .data("\(nameOfFile(at: path)), \(fault)") }
    return bytes
}

/// The first bytes of a gzip file; no text begins so.
let gzipMagic: [UInt8] = [0x1F, 0x8B]

/// Says that the file `name` is such a file.
func gzipFault(_ name: String) -> CommandFailure {
    .data("\(name): gzip-compressed; give the text itself: gunzip -c FILE | denoiser ...")
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
