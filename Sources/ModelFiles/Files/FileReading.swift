internal import Glibc

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
    func forEachPortion(_ body: (Span<UInt8>) -> Void) throws(ModelFileError) {
        var portion = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe read(descriptor, &portion, portion.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .fromErrno("read", path) }
            if count == 0 { return }
            body(portion.span.extracting(0..<count))
        }
    }

    /// The whole file, which must keep its size meanwhile and hold at most `limit` bytes.
    func contents(limit: Int) throws(ModelFileError) -> [UInt8] {
        guard size <= limit else {
            throw .damaged(file: path, reason: "\(size) bytes, more than the limit of \(limit)")
        }
        var failure: Int32 = 0
        // One byte more than expected, to notice a file that grew.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, filled in
            while filled < buffer.count {
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.raw(filled...))
                let got = unsafe read(descriptor, target.baseAddress, target.count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { break }
                filled += got
            }
        }
        guard failure == 0 else {
            throw .system(operation: "read", file: path, code: failure)
        }
        guard bytes.count == size else {
            throw .damaged(file: path, reason: "changed while it was read")
        }
        return bytes
    }
}

extension UnsafeMutableBufferPointer<UInt8> {
    fileprivate func raw(_ range: PartialRangeFrom<Int>) -> Slice<UnsafeMutableRawBufferPointer> {
        unsafe UnsafeMutableRawBufferPointer(self)[range]
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
