import Glibc

/// Standard output or a file, written through a buffer.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8]

    /// Standard output for nil, else the file at `path`, emptied first; `beginning` comes first.
    init(path: String?, beginning: [UInt8] = []) throws(CommandFailure) {
        buffer = beginning
        name = path ?? "standard output"
        guard let path else {
            descriptor = 1
            return
        }
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system("cannot write \(path)", errno) }
    }

    deinit {
        if descriptor != 1 { close(descriptor) }
    }

    /// Appends bytes that `fill` adds to the buffer.
    mutating func append(_ fill: (inout [UInt8]) -> Void) throws(CommandFailure) {
        fill(&buffer)
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Writes what is buffered.
    mutating func flush() throws(CommandFailure) {
        var written = 0
        while written < buffer.count {
            let count = unsafe buffer.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw .system("cannot write \(name)", errno)
            }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
