internal import Glibc

/// What tells cheaply, without reading it, that a file has been replaced or changed.
///
/// Take it before reading the file: a change in between is then seen at the next look.
public struct FileIdentity: Sendable, Hashable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int
    /// When the file's inode changed last: a new mode or owner may make readable what was not.
    private let changeSeconds: Int
    private let changeNanoseconds: Int

    /// The identity of the file at `path`, links followed; nil where none can be seen.
    public static func of(_ path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return FileIdentity(status)
    }

    /// Why nobody can tell whether there is a file at `path`; nil where it is known.
    public static func obstacle(to path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) != 0, errno != ENOENT, errno != ENOTDIR else { return nil }
        return unsafe String(cString: strerror(errno))
    }

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        changeSeconds = status.st_ctim.tv_sec
        changeNanoseconds = status.st_ctim.tv_nsec
    }
}
