import Glibc
import ModelFiles
import Synchronization
import System

/// The file that takes standard error: the log and crash reports.
struct LogFile: ~Copyable {
    private let path: String
    private let descriptor: Int32

    /// Opens the file at `path` to append to it; standard error stays as it was.
    ///
    /// Never waits: a pipe without a reader is refused.
    init(opening path: String) throws(CommandFailure) {
        try self.init(opening: path, flags: O_CREAT)
    }

    private init(opening path: String, flags: Int32) throws(CommandFailure) {
        let flags = flags | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        descriptor = unsafe open(path, flags, 0o640)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        // The runtime writes crash reports and does not ask whether there is room.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        self.path = path
    }

    /// Checks that the file at `path` can be opened, or created if it is missing; creates none.
    static func check(_ path: String) throws(CommandFailure) {
        if !FileIdentity.isAbsent(at: path) {
            _ = try LogFile(opening: path, flags: 0)
            return
        }
        let target = resolvedPath(path)
        guard !target.isEmpty, !target.hasSuffix("/") else { throw failure(path, ENOENT) }
        guard unsafe access(directory(of: target) + "/.", W_OK | X_OK) == 0 else {
            throw failure(path, errno)
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> CommandFailure {
        let reason =
            code == ENXIO
            ? "a pipe that nobody reads, or a socket; a regular file or a device is needed"
            : systemErrorText(code)
        return .configuration(
            "cannot open the log \(path): \(reason)", isPassing: CommandFailure.isPassing(code))
    }

    deinit { close(descriptor) }

    /// Makes it standard error, at one moment for all threads, so that no line is lost or torn.
    func becomeStandardError() {
        // Lines logged before belong in the file of then.
        LogQueue.shared.finish(within: .milliseconds(200))
        dup2(descriptor, 2)
        isLoggingToFile.store(true, ordering: .relaxed)
    }
}

/// Whether lines need a time and a process: without a file, a journal adds them.
private let isLoggingToFile = Atomic<Bool>(false)

/// Logs one line to standard error; a service never waits for its reader.
@Sendable func log(_ line: String) {
    let text = format(line)
    if !LogQueue.shared.add(text) { writeStandardError(text) }
}

/// `line` as the log shows it.
func format(_ line: String) -> String {
    guard isLoggingToFile.load(ordering: .relaxed) else { return "denoiser: \(line)\n" }
    return "\(utcTime()) denoiser[\(getpid())]: \(line)\n"
}

/// The time now as `2026-11-24T20:05:03Z`.
private func utcTime() -> String {
    var now = time(nil)
    var parts = unsafe tm()
    unsafe gmtime_r(&now, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = unsafe "\(1900 + parts.tm_year)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    let hour = unsafe "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    return "\(date)T\(hour)Z"
}
