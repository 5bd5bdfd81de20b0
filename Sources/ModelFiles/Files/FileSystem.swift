internal import Glibc
internal import System

/// The system calls of publishing, each checked, each reported with its file.
///
/// `fault` is asked before every one: a test can let any of them fail with an `errno` code, or let
/// all fail from one on, which leaves the disk as a process leaves it that is killed there.
struct FileSystem: Sendable {
    /// What is about to happen.
    enum Step: String, CaseIterable {
        case makeDirectory, create, reserve, write, permit, sync, link, rename, remove
        case syncDirectory
    }

    var fault: @Sendable (Step, _ file: String) -> Int32? = { _, _ in nil }

    /// Writes a new file and waits until its bytes are on the disk; on a failure it is removed
    /// again.
    ///
    /// It is readable for its owner only until it is complete if `status` is given, and then takes
    /// on that mode and, if we may, that owner. Errors name `file`, for which the new one is meant.
    func write(
        _ bytes: [UInt8], toNew path: String, for file: String, like status: stat?
    ) throws(ModelFileError) {
        let descriptor = try create(path, for: file, like: status)
        defer { close(descriptor) }
        do throws(ModelFileError) {
            try fill(descriptor, with: bytes, for: file, like: status)
        } catch {
            removeIfPresent(path)
            throw error
        }
    }

    /// Copies the file at `source` with its mode and, if we may, its owner to a new one, as far as
    /// it can be read.
    ///
    /// Errors of the new file name `file`, for which it is meant.
    func copy(_ source: String, toNew path: String, for file: String) throws(ModelFileError) {
        let readable = try ReadableFile(opening: source)
        let descriptor = try create(path, for: file, like: readable.status)
        defer { close(descriptor) }
        do throws(ModelFileError) {
            var failure: ModelFileError?
            do throws(ModelFileError) {
                try readable.forEachChunk { chunk in
                    guard failure == nil else { return }
                    do throws(ModelFileError) {
                        try write(chunk, to: descriptor, for: file)
                    } catch { failure = error }
                }
            } catch {
                // What stands before a part of the disk that fails is all there is.
                guard error.isLoss else { throw error }
            }
            if let failure { throw failure }
            try finish(descriptor, for: file, like: readable.status)
        } catch {
            removeIfPresent(path)
            throw error
        }
    }

    /// Makes a new file, readable for its owner only if `status` is given.
    func create(
        _ path: String, for file: String, like status: stat?
    ) throws(ModelFileError) -> Int32 {
        try check(.create, file)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = unsafe open(path, flags, status == nil ? 0o666 : 0o600)
        guard descriptor >= 0 else { throw failure(.create, file) }
        return descriptor
    }

    private func fill(
        _ descriptor: Int32, with bytes: [UInt8], for file: String, like status: stat?
    ) throws(ModelFileError) {
        // A full disk or quota shows here, before anything is written.
        try check(.reserve, file)
        let code = posix_fallocate(descriptor, 0, off_t(max(bytes.count, 1)))
        guard [0, EOPNOTSUPP, ENOSYS, EINVAL, EINTR].contains(code) else {
            throw .system(operation: Step.reserve.words, file: file, code: code)
        }
        try write(bytes, to: descriptor, for: file)
        try finish(descriptor, for: file, like: status)
    }

    /// Writes all of `bytes`.
    func write(
        _ bytes: [UInt8], to descriptor: Int32, for file: String
    ) throws(ModelFileError) {
        try write(bytes.span, to: descriptor, for: file)
    }

    /// Writes all of `bytes` over as many at the beginning.
    func overwrite(
        _ bytes: [UInt8], in descriptor: Int32, for file: String
    ) throws(ModelFileError) {
        let end = lseek(descriptor, 0, SEEK_CUR)
        guard end >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure(.write, file) }
        try write(bytes.span, to: descriptor, for: file)
        lseek(descriptor, end, SEEK_SET)
    }

    private func write(
        _ bytes: Span<UInt8>, to descriptor: Int32, for file: String
    ) throws(ModelFileError) {
        try check(.write, file)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure(.write, file) }
            written += count
        }
    }

    /// Gives a new file that is complete the mode and, if we may, the owner of `status`, and waits
    /// until it is on the disk.
    func finish(
        _ descriptor: Int32, for file: String, like status: stat?
    ) throws(ModelFileError) {
        if let status {
            try check(.permit, file)
            // Only root may give a file away; for others it stays their own, in its group if that
            // is theirs.
            if fchown(descriptor, status.st_uid, status.st_gid) != 0 {
                _ = fchown(descriptor, uid_t.max, status.st_gid)
            }
            guard fchmod(descriptor, status.st_mode & 0o777) == 0 else {
                throw failure(.permit, file)
            }
        }
        // Never tried twice: after a failed fsync the kernel may call lost pages clean.
        try check(.sync, file)
        guard fsync(descriptor) == 0 else { throw failure(.sync, file) }
    }

    /// Puts a new file in the place of `path` by way of `temporary`; at every moment, whatever
    /// fails, there is the old one or the new, whole.
    ///
    /// - Parameter prepare: done when the new one is complete and the old one still there.
    func replace(
        _ path: String, with bytes: [UInt8], through temporary: String, for file: String,
        like status: stat?, preparing prepare: () throws(ModelFileError) -> Void = {}
    ) throws(ModelFileError) {
        try write(bytes, toNew: temporary, for: file, like: status)
        do throws(ModelFileError) {
            try prepare()
            try rename(temporary, to: path)
        } catch {
            removeIfPresent(temporary)
            throw error
        }
    }

    func rename(_ source: String, to target: String) throws(ModelFileError) {
        try check(.rename, target)
        guard unsafe Glibc.rename(source, target) == 0 else { throw failure(.rename, target) }
    }

    /// Gives the file at `source` a second name; false if the file system or its rules forbid that.
    ///
    /// Errors name `file`, for which the new name is meant.
    func link(
        _ source: String, to target: String, for file: String
    ) throws(ModelFileError) -> Bool {
        let code = fault(.link, file) ?? (unsafe Glibc.link(source, target) == 0 ? 0 : errno)
        if code == 0 { return true }
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EXDEV].contains(code) else {
            throw .system(operation: Step.link.words, file: file, code: code)
        }
        return false
    }

    /// Removes a file that is no longer needed; whether that succeeds matters to nobody.
    func removeIfPresent(_ path: String) {
        guard fault(.remove, path) == nil else { return }
        unsafe unlink(path)
    }

    /// Makes the names in a folder last through a power cut.
    func syncDirectory(_ path: String) throws(ModelFileError) {
        try check(.syncDirectory, path)
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(.syncDirectory, path) }
        defer { close(descriptor) }
        // Some file systems cannot do it, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EOPNOTSUPP else {
            throw failure(.syncDirectory, path)
        }
    }

    /// Makes the folder `path` and those above it if they are missing.
    func makeDirectories(_ path: String) throws(ModelFileError) {
        var status = stat()
        if unsafe stat(path, &status) == 0 { return }
        let parent = directory(of: path)
        if parent != path { try makeDirectories(parent) }
        try check(.makeDirectory, path)
        guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw failure(.makeDirectory, path)
        }
        // Root would shut out the service, whose folder the parent is.
        if geteuid() == 0, unsafe stat(parent, &status) == 0, status.st_uid != 0 {
            _ = unsafe lchown(path, status.st_uid, status.st_gid)
        }
    }

    private func check(_ step: Step, _ file: String) throws(ModelFileError) {
        if let code = fault(step, file) {
            throw .system(operation: step.words, file: file, code: code)
        }
    }

    private func failure(_ step: Step, _ file: String) -> ModelFileError {
        .fromErrno(step.words, file)
    }
}

extension FileSystem.Step {
    /// As it reads after "cannot".
    var words: String {
        switch self {
        case .makeDirectory: "make this folder"
        case .create: "create"
        case .reserve: "reserve room"
        case .write: "write"
        case .permit: "set the mode"
        case .sync, .syncDirectory: "bring to the disk"
        case .link: "link"
        case .rename: "rename to this name"
        case .remove: "remove"
        }
    }
}

/// The names in a folder; none if it cannot be read.
func fileNames(in path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        // Not through a copy of the structure: the entry may be shorter than its declaration.
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { break }
        let name = unsafe (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
        names.append(unsafe String(cString: name))
    }
    return names
}
