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

    /// The identity of the file at `path`, links followed; nil if none can be seen.
    public static func of(_ path: String) -> FileIdentity? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return FileIdentity(status)
    }

    /// The same, but tells a file that is not there from one that cannot be seen.
    ///
    /// - Throws: `system`.
    public static func seen(at path: String) throws(ModelFileError) -> FileIdentity? {
        var status = stat()
        if unsafe stat(path, &status) == 0 { return FileIdentity(status) }
        guard errno == ENOENT || errno == ENOTDIR else { throw .fromErrno("examine", path) }
        return nil
    }

    /// Whether nothing is at `path`; false if that cannot be seen.
    public static func isAbsent(at path: String) -> Bool {
        do throws(ModelFileError) { return try seen(at: path) == nil } catch { return false }
    }

    /// Whether it is one file, whatever was written into it.
    public func isSameFile(as other: FileIdentity) -> Bool {
        device == other.device && inode == other.inode
    }

    /// Whether size and time of the last write are those of `other`.
    public func hasContent(of other: FileIdentity) -> Bool {
        isSameFile(as: other) && size == other.size && seconds == other.seconds
            && nanoseconds == other.nanoseconds
    }

    /// Whether it was written or renamed so lately that one more write might bear the same time.
    public var isFresh: Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let latest = max(
            Self.nanoseconds(seconds, nanoseconds),
            Self.nanoseconds(changeSeconds, changeNanoseconds))
        return abs(Self.nanoseconds(now.tv_sec, now.tv_nsec) &- latest) < 20_000_000
    }

    private static func nanoseconds(_ seconds: Int, _ part: Int) -> Int {
        seconds &* 1_000_000_000 &+ part
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
