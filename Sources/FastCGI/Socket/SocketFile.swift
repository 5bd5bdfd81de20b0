import Glibc
import System

/// The file of a Unix socket that this process bound, identified by device and inode.
struct SocketFile: Sendable {
    let path: String
    private let device: UInt
    private let inode: UInt

    /// The file at `path` as it is now; nil if there is none.
    init?(at path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        self.path = path
        device = status.st_dev
        inode = status.st_ino
    }

    /// Removes the file, unless another one has replaced it.
    func remove() {
        guard let present = SocketFile(at: path), present.device == device, present.inode == inode
        else { return }
        unsafe unlink(path)
    }
}

extension Listener {
    /// Listens on a Unix socket at `path`, a file with permissions `mode` and, if named, `group`
    /// (a name of the group file or a number).
    ///
    /// A file of a process that has ended is replaced; a file that is served is not.
    public init(
        path: String, mode: UInt32 = 0o660, group: String? = nil
    ) throws(FastCGIError) {
        try checkLength(of: path)
        let group = try group.map { (name) throws(FastCGIError) in try groupNumber(name) }
        // Held during check, removal and bind, so that two processes do not start at once.
        let turn = FolderTurn(of: path)
        defer { turn.end() }
        try removeStale(path)

        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try Descriptor.opened(
            socket(AF_UNIX, type, 0), by: "socket", for: path)
        // The file gets the socket's own mode without the bits of the umask. So it is closed to
        // others from the beginning, and the umask of other threads does not change.
        fchmod(descriptor.number, 0o600)
        guard unsafe withAddress(of: path, { unsafe bind(descriptor.number, $0, $1) }) == 0 else {
            if errno == EADDRINUSE { throw .alreadyServed(path) }
            throw .system(call: "bind", subject: path, code: errno)
        }
        let file = SocketFile(at: path)
        do throws(FastCGIError) {
            if let group, unsafe chown(path, uid_t.max, group) != 0 {
                throw .system(call: "chown", subject: path, code: errno)
            }
            guard unsafe chmod(path, mode) == 0 else {
                throw .system(call: "chmod", subject: path, code: errno)
            }
            guard listen(descriptor.number, Self.backlog) == 0 else {
                throw .system(call: "listen", subject: path, code: errno)
            }
        } catch {
            file?.remove()
            throw error
        }
        self.init(descriptor, origin: .path(path), file: file)
    }
}

/// Refuses a path that does not fit the kernel's address structure.
func checkLength(of path: String) throws(FastCGIError) {
    let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    guard 1...limit ~= path.utf8.count, !path.utf8.contains(0) else {
        throw .pathTooLong(path, limit: limit)
    }
}

/// Removes a socket file that no process serves.
private func removeStale(_ path: String) throws(FastCGIError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let probe = try Descriptor.opened(socket(AF_UNIX, type, 0), by: "socket", for: path)
    let isConnected = unsafe withAddress(of: path) { unsafe connect(probe.number, $0, $1) } == 0
    switch isConnected ? 0 : errno {
    case ENOENT: return
    case ECONNREFUSED: break
    // EAGAIN: its queue is full, so a process serves it. EPROTOTYPE: another kind of socket.
    case 0, EAGAIN, EPROTOTYPE: throw .alreadyServed(path)
    case let code: throw .system(call: "connect", subject: path, code: code)
    }
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
        throw .system(call: "unlink", subject: path, code: errno)
    }
}

/// A lock on the folder of a path; the kernel releases it at the end of the process.
private struct FolderTurn {
    private let descriptor: Int32

    init(of path: String) {
        let folder = directory(of: path)
        descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // If the file system has no locks, bind still lets only one process through.
        if descriptor >= 0 { _ = flock(descriptor, LOCK_EX) }
    }

    func end() { if descriptor >= 0 { close(descriptor) } }
}

/// Calls `body` with the address structure of a Unix socket's path.
private func withAddress(
    of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    return unsafe withUnsafeBytes(of: &address) { bytes in
        guard let start = bytes.baseAddress else { return -1 }
        return unsafe body(
            start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
}
