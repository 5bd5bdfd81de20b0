import Glibc
import ModelFiles
import System

/// A file that takes its place when it is whole; a signal that ends the process removes it.
struct UnfinishedFile {
    private let file: GrowingFile
    private let path: String

    init(_ path: String) throws(CommandFailure) {
        let folder = directory(of: path)
        guard !FileIdentity.isAbsent(at: folder) else {
            throw CommandFailure(
                description: "cannot write \(path): there is no folder \(folder)", status: 74)
        }
        var status = stat()
        guard unsafe stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            throw .system("cannot write \(path)", EISDIR)
        }
        self.path = path
        // Before the file exists: a signal may come as soon as it does.
        removeWhenEnded(GrowingFile.temporary(for: path))
        file = try reporting { () throws(ModelFileError) in try GrowingFile(replacing: path) }
    }

    func append(_ bytes: [UInt8]) throws(CommandFailure) {
        try reporting { () throws(ModelFileError) in try file.append(bytes) }
    }

    /// Writes `bytes` over as many at the beginning.
    func overwrite(_ bytes: [UInt8]) throws(CommandFailure) {
        try reporting { () throws(ModelFileError) in try file.overwrite(bytes) }
    }

    func commit() throws(CommandFailure) {
        try reporting { () throws(ModelFileError) in try file.commit() }
    }
}

private func reporting<Value>(
    _ step: () throws(ModelFileError) -> Value
) throws(CommandFailure) -> Value {
    do throws(ModelFileError) {
        return try step()
    } catch {
        throw CommandFailure(description: "\(error)", status: 74)
    }
}

/// The path that a signal removes, for as long as the process lives.
nonisolated(unsafe) private var doomed: UnsafeMutablePointer<CChar>?

/// Lets the signals by which users end a command remove `path`; ignored signals stay ignored.
private func removeWhenEnded(_ path: String) {
    unsafe doomed = strdup(path)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
        var action = sigaction()
        unsafe sigaction(number, nil, &action)
        let isIgnored =
            unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
        if isIgnored { continue }
        signal(number) { number in
            if let path = unsafe doomed { unsafe unlink(path) }
            signal(number, SIG_DFL)
            raise(number)
        }
    }
}
