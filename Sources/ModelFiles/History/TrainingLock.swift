internal import Glibc
internal import System

/// The right to train and publish at one model path, held by one owner among all processes.
///
/// The kernel frees it when the owner lets go of it or dies. It is `flock` on a file of its own
/// beside the model, which we never rename or delete: a lock on the model itself would end with the
/// first rename. If somebody else deletes it, what is published under it is put off until nobody
/// holds the new one.
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
        // Of what a link leads to, also if nothing is there yet.
        try system.makeDirectories(directory(of: resolvedPath(modelPath)))
        let resolved = resolvedPath(modelPath)
        let file = resolved + ".lock"

        let deadline = ContinuousClock.now + patience
        while true {
            let descriptor = try Self.open(file)
            do throws(ModelFileError) {
                try Self.take(descriptor, file: file, before: deadline)
            } catch {
                close(descriptor)
                throw error
            }
            // Whoever waited may hold one that was removed meanwhile, and then holds nothing.
            if Self.isFile(at: file, behind: descriptor) {
                self.descriptor = descriptor
                self.modelPath = resolved
                return
            }
            close(descriptor)
        }
    }

    /// Whether the file locked is still the one that others would lock.
    var isInForce: Bool { Self.isFile(at: modelPath + ".lock", behind: descriptor) }

    private static func isFile(at path: String, behind descriptor: Int32) -> Bool {
        var (there, held) = (stat(), stat())
        return unsafe lstat(path, &there) == 0 && fstat(descriptor, &held) == 0
            && there.st_dev == held.st_dev && there.st_ino == held.st_ino
    }

    /// Opens the lock file, which only those may open who may write into its folder.
    ///
    /// Whoever can open it can hold it, and stop all training: to read it is enough for a lock.
    /// Those who may write into the folder can replace the model itself; in a sticky one, such as
    /// `/tmp`, that is only the owner.
    private static func open(_ file: String) throws(ModelFileError) -> Int32 {
        var descriptor = unsafe Glibc.open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        // Somebody else's lock file may only be readable for us; that is enough for a lock.
        if descriptor < 0 && (errno == EACCES || errno == EROFS) {
            descriptor = unsafe Glibc.open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        }
        guard descriptor >= 0 else { throw .fromErrno("open", file) }
        var (status, folder) = (stat(), stat())
        if unsafe fstat(descriptor, &status) == 0, unsafe stat(directory(of: file), &folder) == 0,
            status.st_uid == geteuid()
        {
            let writers = folder.st_mode & S_ISVTX == 0 ? folder.st_mode & 0o022 : 0
            let mode = 0o600 | writers | writers << 1
            if status.st_mode & 0o777 != mode { _ = fchmod(descriptor, mode) }
            // Root would shut out the service, whose folder it is.
            if status.st_uid == 0, folder.st_uid != 0 {
                _ = fchown(descriptor, folder.st_uid, folder.st_gid)
            }
        }
        return descriptor
    }

    deinit { close(descriptor) }

    private static func take(
        _ descriptor: Int32, file: String, before deadline: ContinuousClock.Instant
    ) throws(ModelFileError) {
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
