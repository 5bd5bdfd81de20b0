import Glibc

/// The bytes of the file of settings at `path`; waits for a pipe no longer than a few seconds.
///
/// - Throws: if it cannot be read, or if it is a pipe whose writer is not done by then.
func readSettings(_ path: String) throws(CommandFailure) -> [UInt8] {
    if path == "-" { return try readFile(path) }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("cannot read \(path)", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
        throw .system("cannot read \(path)", errno)
    }
    let isPipe = status.st_mode & S_IFMT == S_IFIFO
    let deadline = ContinuousClock.now + .seconds(3)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        if isPipe {
            var target = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = max(.zero, ContinuousClock.now.duration(to: deadline))
            guard unsafe poll(&target, 1, Int32(left / .milliseconds(1))) > 0 else {
                throw .configuration(
                    "cannot read \(path): a pipe whose writer is not done after 3 s; "
                        + "a regular file is needed")
            }
        }
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count < 0 {
            if errno == EINTR || errno == EAGAIN && isPipe { continue }
            throw .system("cannot read \(path)", errno)
        }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
        guard bytes.count <= 16 << 20 else {
            throw .configuration("\(path): more than 16 MiB, which no file of settings has")
        }
    }
}
