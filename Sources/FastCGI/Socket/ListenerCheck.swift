import Glibc

extension Listener.Choice {
    /// Checks that the socket could be made, without disturbing a process that serves it now.
    ///
    /// - Throws: the error that making it would throw, except `alreadyServed`.
    public func check() throws(FastCGIError) {
        switch self {
        case .path(let path, _, let group):
            try checkLength(of: path)
            if let group { _ = try groupNumber(group) }
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
            guard unsafe access(folder, W_OK | X_OK) == 0 else {
                throw .system(call: "access", subject: folder, code: errno)
            }
            var status = stat()
            if unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFSOCK {
                throw .notASocket(path)
            }
        case .address(let text):
            do throws(FastCGIError) {
                _ = try Listener(address: text)
            } catch {
                if case .alreadyServed = error { return }
                throw error
            }
        }
    }
}
