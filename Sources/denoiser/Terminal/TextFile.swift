import Glibc
import System

/// A file of texts, by its path, or open already.
struct TextFile {
    /// How messages name it.
    let name: String

    private let path: String
    /// Standard input's, or that of a copy; nil if the path is opened when its turn comes.
    private let descriptor: Int32?

    /// The file at `path`, "-" being standard input.
    ///
    /// - Throws: if it is known already that it cannot be read.
    init(_ path: String) throws(CommandFailure) {
        name = nameOfFile(at: path)
        self.path = path
        descriptor = path == "-" ? 0 : nil
        guard descriptor == nil else { return }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw failure(errno) }
        if status.st_mode & S_IFMT == S_IFDIR { throw failure(EISDIR) }
        guard unsafe access(path, R_OK) == 0 else { throw failure(errno) }
    }

    private init(copyOf file: TextFile, _ descriptor: Int32) {
        (name, path) = (file.name, file.path)
        self.descriptor = descriptor
    }

    /// Whether it can be read again from where it begins, and reading never waits.
    var isRegular: Bool {
        var status = stat()
        let found =
            descriptor.map { unsafe fstat($0, &status) } ?? (unsafe stat(path, &status))
        return found == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether a user types it.
    var isTerminal: Bool { descriptor.map { isatty($0) != 0 } ?? false }

    /// Its lines; those of an open file from its position on.
    func reader() throws(CommandFailure) -> LineReader {
        if let descriptor { return LineReader(descriptor, name: name) }
        while true {
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
            if descriptor >= 0 { return LineReader(descriptor, name: name, isOwned: true) }
            guard errno == EINTR else { throw failure(errno) }
        }
    }

    /// The position of an open file.
    var position: off_t? { descriptor.map { lseek($0, 0, SEEK_CUR) } }

    /// Reads go on from `position`, which the same file gave.
    func seek(to position: off_t?) {
        if let descriptor, let position { lseek(descriptor, position, SEEK_SET) }
    }

    /// The rest of it in a file of its own, without a name, in TMPDIR.
    func copied() throws(CommandFailure) -> TextFile {
        let reader = try reader()
        let folder = environment("TMPDIR") ?? "/tmp"
        let copy = try unnamedFile(in: folder)
        while let piece = try reader.piece() {
            try writeAll(piece, to: copy, name: "a copy of \(name) in \(folder)")
        }
        lseek(copy, 0, SEEK_SET)
        return TextFile(copyOf: self, copy)
    }

    private func unnamedFile(in folder: String) throws(CommandFailure) -> Int32 {
        var template = Array("\(folder)/denoiser-XXXXXX".utf8CString)
        let copy = unsafe template.withUnsafeMutableBufferPointer {
            guard let start = $0.baseAddress else { return Int32(-1) }
            let copy = unsafe mkstemp(start)
            if copy >= 0 { unsafe unlink(start) }
            return copy
        }
        guard copy >= 0 else {
            throw .system(
                "an array in a pipe begins with its length, so \(name) is copied first; cannot "
                    + "make a file in \(folder) (--output FILE.npy needs none)", errno)
        }
        return copy
    }

    private func failure(_ code: Int32) -> CommandFailure {
        .system("cannot read \(name)", code)
    }
}
