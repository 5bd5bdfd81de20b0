internal import Glibc

/// The bytes of the file at `path`, to its end.
package func readWholeFile(_ path: String) throws(SystemError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last }
    defer { close(descriptor) }
    return try readToEnd(descriptor)
}

/// The text of the file at `path`, nil if it cannot be read: for files of the kernel.
package func textOfFile(_ path: String) -> String? {
    (try? readWholeFile(path)).map { String(decoding: $0, as: UTF8.self) }
}

/// The bytes that `descriptor` gives from its position on: to their end, or one more than `limit`.
///
/// - Parameters:
///   - ready: waits until a descriptor that does not block has something to read; false gives up.
/// - Throws: what `read` failed with, or `ETIMEDOUT` if `ready` gives up.
package func readToEnd(
    _ descriptor: Int32, limit: Int = .max - 1, waiting ready: (() -> Bool)? = nil
) throws(SystemError) -> [UInt8] {
    var status = stat()
    // 0 for what has no size: a pipe, and most files of the kernel.
    let size = unsafe fstat(descriptor, &status) == 0 ? max(0, Int(status.st_size)) : 0
    var bytes: [UInt8] = []
    // One byte more than expected, to see the end, or that the file grew.
    var room = min(size, limit) + 1
    while true {
        let chunk = try readChunk(descriptor, upTo: room, waiting: ready)
        if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        if chunk.count < room || bytes.count > limit { return bytes }
        room = min(1 << 16, limit + 1 - bytes.count)
    }
}

/// Gives what `descriptor` has from its position on to `body`, at most a mebibyte at a time.
///
/// - Throws: what `read` failed with; `body` has got everything before.
package func forEachChunk(
    of descriptor: Int32, _ body: (Span<UInt8>) -> Void
) throws(SystemError) {
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw .last }
        if count == 0 { return }
        body(chunk.span.extracting(0..<count))
    }
}

/// The next `count` bytes of `descriptor`; fewer only at their end.
private func readChunk(
    _ descriptor: Int32, upTo count: Int, waiting ready: (() -> Bool)?
) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
            if let ready, !ready() {
                failure = SystemError(code: ETIMEDOUT)
                return
            }
            let target = unsafe buffer.baseAddress.map { unsafe $0 + filled }
            let got = unsafe read(descriptor, target, count - filled)
            if got < 0 && (errno == EINTR || errno == EAGAIN && ready != nil) { continue }
            if got < 0 { failure = .last }
            if got <= 0 { return }
            filled += got
        }
    }
    if let failure { throw failure }
    return bytes
}
