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

    /// The identity of the file at `path`, links followed; nil where none can be seen.
    public static func of(_ path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return FileIdentity(status)
    }

    init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
