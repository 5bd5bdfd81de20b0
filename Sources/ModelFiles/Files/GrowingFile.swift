internal import Glibc
internal import System

/// A file that grows beside the one whose place it takes when it is whole.
///
/// Until `commit` the old file stays as it is; given up before, the new one is removed. Links are
/// followed.
public final class GrowingFile {
    /// Its name until it is whole.
    public let temporary: String

    private let path: String
    /// As errors name it.
    private let name: String
    private let descriptor: Int32
    private let status: stat?
    private let system: FileSystem
    private var isWhole = false

    /// The name that a file of this process for `path` has until it is whole.
    public static func temporary(for path: String) -> String {
        let target = resolvedPath(path)
        return HistoryPlace(target).temporary(for: target)
    }

    /// Begins a file for `path`, which gets the mode and, if we may, the owner of the one there.
    ///
    /// - Throws: `system`.
    public convenience init(replacing path: String) throws(ModelFileError) {
        try self.init(replacing: path, system: FileSystem())
    }

    init(replacing path: String, system: FileSystem) throws(ModelFileError) {
        let target = resolvedPath(path)
        let place = HistoryPlace(target)
        temporary = place.temporary(for: target)
        (self.path, name, self.system) = (target, path, system)
        var status = stat()
        let isThere = unsafe stat(target, &status) == 0
        // Links in a circle: there is no file whose place could be taken.
        if !isThere, errno == ELOOP {
            throw .system(operation: "create", file: path, code: ELOOP)
        }
        self.status = isThere ? status : nil
        place.sweep(directory(of: target), system)
        do {
            descriptor = try system.create(temporary, for: path, like: self.status)
        } catch .missing {
            // It is the folder that is.
            throw .system(operation: "create", file: path, code: ENOENT)
        }
        // Tells another process that sweeps that its writer lives.
        flock(descriptor, LOCK_EX | LOCK_NB)
    }

    deinit {
        close(descriptor)
        if !isWhole { system.removeIfPresent(temporary) }
    }

    /// Writes `bytes` at the end.
    public func append(_ bytes: [UInt8]) throws(ModelFileError) {
        try system.write(bytes, to: descriptor, for: name)
    }

    /// Writes `bytes` over as many at the beginning.
    public func overwrite(_ bytes: [UInt8]) throws(ModelFileError) {
        try system.overwrite(bytes, in: descriptor, for: name)
    }

    /// Puts the file in its place, for good.
    public func commit() throws(ModelFileError) {
        try system.finish(descriptor, for: name, like: status)
        try system.rename(temporary, to: path)
        isWhole = true
        try system.syncDirectory(directory(of: path))
    }
}
