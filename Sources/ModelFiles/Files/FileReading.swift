internal import Glibc
public import System

/// An open descriptor of a regular file, closed with its owner.
struct ReadableFile: ~Copyable {
    let descriptor: Int32
    let path: String

    /// Size, mode and owner when it was opened.
    let status: stat

    /// Bytes in the file when it was opened.
    var size: Int { Int(status.st_size) }

    init(opening path: String) throws(ModelFileError) {
        // Non-blocking, or a pipe in the file's place would hold us until somebody writes to it.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .fromErrno("open", path) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = ModelFileError.fromErrno("examine", path)
            close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .damaged(file: path, reason: "not a regular file")
        }
        self.descriptor = descriptor
        self.path = path
        self.status = status
    }

    deinit { close(descriptor) }

    /// Gives the whole file to `body`, a mebibyte at a time.
    func forEachChunk(_ body: (Span<UInt8>) -> Void) throws(ModelFileError) {
        do throws(SystemError) {
            try System.forEachChunk(of: descriptor, body)
        } catch {
            throw .system(operation: "read", file: path, code: error.code)
        }
    }

    /// The whole file, which must keep its size meanwhile and hold at most `limit` bytes.
    func contents(limit: Int) throws(ModelFileError) -> [UInt8] {
        guard size <= limit else {
            throw .damaged(file: path, reason: "\(size) bytes, more than the limit of \(limit)")
        }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readToEnd(descriptor, limit: size)
        } catch {
            throw .system(operation: "read", file: path, code: error.code)
        }
        guard bytes.count == size else {
            throw .damaged(file: path, reason: "changed while it was read")
        }
        return bytes
    }
}

extension SHA256 {
    /// The digest of the file at `path` as 64 hexadecimal digits; the file may be large.
    ///
    /// - Throws: `missing`, `system`, or `damaged` if it is empty or no regular file.
    public static func hex(ofFile path: String) throws(ModelFileError) -> String {
        // Read, not mapped: a file that is just being written over would end the process.
        let file = try ReadableFile(opening: path)
        guard file.size > 0 else { throw .damaged(file: path, reason: "empty") }
        var hash = SHA256()
        try file.forEachChunk { hash.update($0) }
        return hash.finish().map(hexByte).joined()
    }
}

/// The whole file at `path`, which must be a regular one of at most `limit` bytes.
///
/// - Throws: `missing`, `system`, or `damaged` if it is larger.
public func fileContents(at path: String, limit: Int) throws(ModelFileError) -> [UInt8] {
    try ReadableFile(opening: path).contents(limit: limit)
}

/// Whether a regular file stands at `path`, links followed.
public func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}
