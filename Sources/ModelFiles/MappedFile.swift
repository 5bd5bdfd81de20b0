internal import Glibc

/// A file mapped read-only; every process that maps it shares one copy.
///
/// Replacing the file by rename is safe. Cutting it short in place kills its readers (SIGBUS), so
/// map only what nobody writes in place.
@safe
final class MappedFile: @unchecked Sendable {
    // Unchecked: the pages are never written through this pointer, and are unmapped in `deinit` only.
    private let base: UnsafeRawPointer

    let path: String

    /// Bytes mapped.
    let count: Int

    init(mapping path: String) throws(ModelFileError) {
        let file = try ReadableFile(opening: path)
        guard file.size > 0 else { throw .damaged(file: path, reason: "empty") }
        let address = unsafe mmap(nil, file.size, PROT_READ, MAP_SHARED, file.descriptor, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw .fromErrno("map", path)
        }
        unsafe base = UnsafeRawPointer(address)
        count = file.size
        self.path = path
    }

    deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) }

    /// A copy of `range`, which must lie inside the file.
    func bytes(in range: Range<Int>) -> [UInt8] {
        precondition(0 <= range.lowerBound && range.upperBound <= count, "\(range) of \(count)")
        return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[range]))
    }

    /// The floats from byte `offset` on without a copy, or nil where they are not aligned.
    ///
    /// The file's byte order is that of every machine this runs on: lowest first.
    func floats(at offset: Int, count floats: Int) -> UnsafePointer<Float>? {
        precondition(
            offset >= 0 && floats >= 0 && offset + 4 * floats <= count,
            "\(floats) floats at \(offset) of \(count) bytes")
        let start = unsafe base + offset
        guard UInt(bitPattern: start) % 4 == 0 else { return nil }
        return unsafe start.assumingMemoryBound(to: Float.self)
    }

    /// Takes all pages out of this process until they are touched again; they stay in the system's cache.
    func releasePages() {
        unsafe madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
    }

    private var buffer: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }
}
