import Glibc
import ModelFiles

/// Standard output, a file, or a named pipe or device, written through a buffer.
///
/// `finish` puts a file in its place; until then the file that was there stays whole.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private let file: UnfinishedFile?
    private var buffer: [UInt8]

    /// Opens `path`, or standard output for nil and `-`; `beginning` is written first.
    init(path: String?, beginning: [UInt8] = []) throws(CommandFailure) {
        let path = path == "-" ? nil : path
        let isFile = path.map { !isStream($0) } ?? false
        let opened = try path.map { path throws(CommandFailure) in
            isFile ? -1 : try openStream(path)
        }
        file = try isFile ? path.map(UnfinishedFile.init) : nil
        descriptor = opened ?? 1
        name = path ?? "standard output"
        buffer = beginning
    }

    deinit {
        if descriptor > 2 { close(descriptor) }
    }

    /// Whether a user sees the output at once.
    var isTerminal: Bool { isatty(descriptor) != 0 }

    /// Appends bytes that `fill` adds to the buffer.
    mutating func append(_ fill: (inout [UInt8]) -> Void) throws(CommandFailure) {
        fill(&buffer)
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Writes the buffer, and puts a file in its place.
    mutating func finish() throws(CommandFailure) {
        try flush()
        try file?.commit()
    }

    private mutating func flush() throws(CommandFailure) {
        if let file {
            try file.append(buffer)
        } else {
            try writeToStream()
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeToStream() throws(CommandFailure) {
        var written = 0
        while written < buffer.count {
            let count = unsafe buffer.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { endQuietly() }
                throw .system("cannot write \(name)", errno)
            }
            written += count
        }
    }
}

/// Writes `text` and a line's end to standard output.
func printLine(_ text: String) throws(CommandFailure) {
    var output = try OutputFile(path: nil)
    try output.append { $0 += "\(text)\n".utf8 }
    try output.finish()
}

/// Whether `path` names something that takes output as it comes: a pipe, a device, standard output.
func isStream(_ path: String) -> Bool {
    if isOpenAlready(path) { return true }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
}

/// Whether `path` names a file that this process has open; a new file in its place would be
/// another.
private func isOpenAlready(_ path: String) -> Bool {
    ["/dev/std", "/dev/fd/", "/proc/self/fd/"].contains(where: path.hasPrefix)
        || isStandardOutput(path)
}

private func isStandardOutput(_ path: String) -> Bool {
    var (named, open) = (stat(), stat())
    guard unsafe stat(path, &named) == 0, unsafe fstat(1, &open) == 0 else { return false }
    return named.st_dev == open.st_dev && named.st_ino == open.st_ino
}

private func openStream(_ path: String) throws(CommandFailure) -> Int32 {
    // The open descriptor knows the place in the file; a second one would begin at its start.
    if isStandardOutput(path) { return 1 }
    while true {
        let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        if descriptor >= 0 { return descriptor }
        guard errno == EINTR else { throw .system("cannot write \(path)", errno) }
    }
}

/// Ends the process as a closed pipe does if its signal is not ignored.
private func endQuietly() -> Never {
    signal(SIGPIPE, SIG_DFL)
    raise(SIGPIPE)
    _exit(128 + SIGPIPE)
}
