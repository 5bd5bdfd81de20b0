internal import Glibc
internal import System

/// A file mapped read-only; every process that maps it shares one copy.
///
/// Replacing the file by rename is safe. What is written into it shows in the mapping at once,
/// which `condition` tells. If it is cut short, or its storage fails, the next read there ends the
/// process with a line that names the file.
@safe
final class MappedFile: @unchecked Sendable {
    // Unchecked: the pages are never written through this pointer, and are unmapped in `deinit`
    // only.
    private let base: UnsafeRawPointer
    /// Open for as long as the mapping lives, to be asked what became of the file.
    private let file: ReadableFile

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
        self.file = file
        unsafe MappingGuard.watch(base, count: count, path: path)
    }

    deinit {
        unsafe MappingGuard.forget(base)
        unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    }

    /// What became of the file since it was opened, in one call to the system if nothing did.
    ///
    /// The kernel notes the time of a write before it changes a byte: what was read before this
    /// says `whole` is what was mapped.
    var condition: MappingCondition {
        var status = stat()
        guard unsafe fstat(file.descriptor, &status) == 0 else { return .overwritten }
        let (then, now) = (FileIdentity(file.status), FileIdentity(status))
        if now == then { return .whole }
        guard now.hasContent(of: then) else { return .overwritten }
        // Another name, mode or owner; or a copy that set the time back.
        let named = FileIdentity.of(path)
        return named?.isSameFile(as: then) == true ? .touched : .replaced
    }

    /// A copy of `range`, which must lie inside the file.
    func bytes(in range: Range<Int>) -> [UInt8] {
        precondition(0 <= range.lowerBound && range.upperBound <= count, "\(range) of \(count)")
        return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[range]))
    }

    /// The floats from byte `offset` on without a copy, or nil if they are not aligned.
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

    /// Takes all pages out of this process until they are touched again; they stay in the system's
    /// cache.
    func releasePages() {
        unsafe madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
    }

    private var buffer: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base, count: count)
    }
}

/// What became of a mapped file.
public enum MappingCondition: Sendable, Equatable {
    /// Nothing.
    case whole
    /// Another file stands at its path; what is mapped is what it was.
    case replaced
    /// Its mode, owner or number of names changed, or it was written over by a copy that sets
    /// times.
    case touched
    /// It was written over, or cannot be asked.
    case overwritten
}
