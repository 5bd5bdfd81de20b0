import Glibc
import System

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
    let deadline = ContinuousClock.now + .seconds(3)
    let isWritten = {
        var target = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let left = max(.zero, ContinuousClock.now.duration(to: deadline))
        return unsafe poll(&target, 1, Int32(left / .milliseconds(1))) > 0
    }
    let bytes: [UInt8]
    do throws(SystemError) {
        let isPipe = status.st_mode & S_IFMT == S_IFIFO
        bytes = try readToEnd(
            descriptor, limit: settingsLimit, waiting: isPipe ? isWritten : nil)
    } catch {
        guard error.code == ETIMEDOUT else { throw .system("cannot read \(path)", error.code) }
        throw .configuration(
            "cannot read \(path): a pipe whose writer is not done after 3 s; "
                + "a regular file is needed")
    }
    guard bytes.count <= settingsLimit else {
        throw .configuration("\(path): more than 16 MiB, which no file of settings has")
    }
    return bytes
}

/// The text of the file of settings at `path`, without the mark that some editors put in front.
///
/// - Throws: if `bytes` are not UTF-8.
func textOfSettings(_ bytes: [UInt8], at path: String) throws(CommandFailure) -> String {
    if let fault = UTF8Fault(in: bytes) { throw .configuration("\(path), \(fault)") }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    return String(decoding: bytes.dropFirst(hasMark ? 3 : 0), as: UTF8.self)
}

/// Bytes that a file of settings may have.
private let settingsLimit = 16 << 20
