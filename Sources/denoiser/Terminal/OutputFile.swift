import Glibc
import ModelFiles

/// Standard output, a file, or a named pipe or device, written through a buffer.
///
/// `finish` puts a file in its place; until then the file that was there stays whole.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private let file: UnfinishedFile?
    private var buffer: [UInt8] = []

    /// The place in what is open already that the first byte goes to; nil if that is not to be
    /// written twice.
    private let start: off_t?

    /// Opens `path`, or standard output for nil and `-`.
    init(path: String?) throws(CommandFailure) {
        let path = path == "-" ? nil : path
        let isFile = path.map { !isStream($0) } ?? false
        let opened = try path.map { path throws(CommandFailure) in
            isFile ? -1 : try openStream(path)
        }
        file = try isFile ? path.map(UnfinishedFile.init) : nil
        descriptor = opened ?? 1
        name = path ?? "standard output"
        start = isFile ? 0 : placeToReturnTo(descriptor)
    }

    deinit {
        if descriptor > 2 { close(descriptor) }
    }

    /// Whether a user sees the output at once.
    var isTerminal: Bool { isatty(descriptor) != 0 }

    /// Whether nothing shows before `finish` puts a file in its place.
    var isReplacement: Bool { file != nil }

    /// Whether `finish` can write the beginning once more.
    var canReturn: Bool { start != nil }

    /// Appends bytes that `fill` adds to the buffer.
    mutating func append(_ fill: (inout [UInt8]) -> Void) throws(CommandFailure) {
        fill(&buffer)
        if buffer.count >= 1 << 16 { try writeBuffer() }
    }

    /// Writes the buffer if somebody may read what is written so far.
    mutating func flush() throws(CommandFailure) {
        if file == nil { try writeBuffer() }
    }

    /// Writes the buffer, and puts a file in its place.
    ///
    /// - Parameter beginning: what takes the place of as many bytes at the beginning.
    mutating func finish(beginning: [UInt8] = []) throws(CommandFailure) {
        try writeBuffer()
        if let start, !beginning.isEmpty {
            if let file {
                try file.overwrite(beginning)
            } else {
                let end = lseek(descriptor, 0, SEEK_CUR)
                lseek(descriptor, start, SEEK_SET)
                try writeAll(beginning, to: descriptor, name: name)
                lseek(descriptor, end, SEEK_SET)
            }
        }
        try file?.commit()
    }

    private mutating func writeBuffer() throws(CommandFailure) {
        if let file {
            try file.append(buffer)
        } else {
            try writeAll(buffer, to: descriptor, name: name)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Writes all of `bytes` to what errors call `name`; the process ends if nobody reads on.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, name: String) throws(CommandFailure) {
    var written = 0
    while written < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        }
        if count >= 0 {
            written += count
            continue
        }
        switch errno {
        case EINTR: continue
        case EPIPE: endQuietly()
        // Another process made what is shared with it not block.
        case EAGAIN:
            var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&entry, 1, -1)
        default: throw .system("cannot write \(name)", errno)
        }
    }
}

/// The position of an open file that takes bytes at any place; nil of everything else.
private func placeToReturnTo(_ descriptor: Int32) -> off_t? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
        fcntl(descriptor, F_GETFL) & O_APPEND == 0
    else { return nil }
    let place = lseek(descriptor, 0, SEEK_CUR)
    return place >= 0 ? place : nil
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
