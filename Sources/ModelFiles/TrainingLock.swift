internal import Glibc

/// The right to train and publish at one model path, held by one owner among all processes.
///
/// The kernel frees it when the owner lets go of it or dies. It is `flock` on a file of its own beside the
/// model, which is never renamed or deleted: a lock on the model itself would end with the first rename.
public struct TrainingLock: ~Copyable, Sendable {
    /// How long to sleep between two attempts, in nanoseconds.
    private static let pause = 20_000_000

    /// The file that may be replaced under this lock, links resolved.
    public let modelPath: String

    private let descriptor: Int32

    /// Takes the lock for the model at `modelPath`, whose folder is made if there is none.
    ///
    /// - Parameter patience: how long to wait while another owner holds it.
    /// - Throws: `busy` when the time is over, `lockingUnsupported`, or `system`.
    public init(
        for modelPath: String, waiting patience: Duration = .zero
    ) throws(ModelFileError) {
        let system = FileSystem()
        // Of what a link leads to, also where nothing is there yet.
        try system.makeDirectories(directory(of: resolvedPath(modelPath)))
        let resolved = resolvedPath(modelPath)
        let file = resolved + ".lock"

        // Somebody else's lock file may only be readable for us; that is enough for a lock.
        var descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        if descriptor < 0 && (errno == EACCES || errno == EROFS) {
            descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        }
        guard descriptor >= 0 else { throw .fromErrno("open", file) }
        do throws(ModelFileError) {
            try Self.take(descriptor, file: file, waiting: patience)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.modelPath = resolved
    }

    deinit { close(descriptor) }

    private static func take(
        _ descriptor: Int32, file: String, waiting patience: Duration
    ) throws(ModelFileError) {
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK:
                guard ContinuousClock.now < deadline else { throw .busy(file: file) }
                var time = timespec(tv_sec: 0, tv_nsec: pause)
                unsafe nanosleep(&time, nil)
            case ENOLCK, EOPNOTSUPP, ENOSYS, EINVAL:
                throw .lockingUnsupported(file: file, code: errno)
            default: throw .fromErrno("lock", file)
            }
        }
    }
}

/// The folder that `path` stands in.
func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of `path`.
func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// `path` with links followed, so that a rename replaces the file and not a link to it; the file need not exist.
func resolvedPath(_ path: String) -> String {
    var path = path
    // As many as Linux follows.
    for _ in 0..<40 {
        if let whole = existingPath(path) { return whole }
        guard let target = linkTarget(of: path) else { break }
        path = target.hasPrefix("/") ? target : directory(of: path) + "/" + target
    }
    guard let folder = existingPath(directory(of: path)) else { return path }
    return (folder == "/" ? "" : folder) + "/" + name(of: path)
}

/// The one name without links of what is at `path`; nil where nothing is, or where the name is not UTF-8.
private func existingPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(validatingCString: resolved)
}

/// Where the link at `path` leads; nil where there is no link.
private func linkTarget(of path: String) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    return String(validating: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
