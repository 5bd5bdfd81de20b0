internal import Glibc
internal import Inference

/// The text of an uploaded file as it comes in: the bytes, once, and what is to be known of them.
struct UploadText: Sendable {
    /// The bytes so far; empty once they are known not to be UTF-8.
    private(set) var bytes: [UInt8] = []

    private var counter = PythonTextWords()
    private var size = 0

    /// - Parameter expected: bytes that may come at most. Growing a full array would hold the text twice while
    ///   it is moved, so the room is set aside at once; memory that no byte ever reaches costs nothing.
    ///   What the system would refuse is not asked for: an array that gets no memory ends the process.
    init(expecting expected: Int = 0) {
        if isThereMemory(for: expected) { bytes.reserveCapacity(expected) }
    }

    /// Whether the file has no byte at all.
    var isEmpty: Bool { size == 0 }

    /// Offset of the first byte that is not UTF-8, nil where all are.
    var invalidOffset: Int? { counter.invalidOffset }

    /// The line, from 1, of the first byte that is not UTF-8, nil where all are.
    private(set) var invalidLine: Int?

    /// Runs of non-space characters, as Python's `len(text.split())`.
    var wordCount: Int { counter.count }

    /// Takes the next bytes.
    ///
    /// - Throws: `noRoom` where the system has no memory for them.
    mutating func append(_ more: Span<UInt8>) throws(BodyError) {
        size += more.count
        guard counter.invalidOffset == nil else { return }
        counter.add(more)
        let needed = bytes.count + more.count
        guard needed <= bytes.capacity || isThereMemory(for: 2 * needed) else { throw .noRoom }
        unsafe more.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        dropIfInvalid()
    }

    /// Says that the file is whole.
    mutating func finish() {
        counter.finish()
        dropIfInvalid()
    }

    /// What is not UTF-8 is trained on by nobody; only where it is wrong is told.
    private mutating func dropIfInvalid() {
        guard let offset = counter.invalidOffset, invalidLine == nil else { return }
        invalidLine = TextLines.number(ofLineAt: offset, in: bytes)
        bytes = []
    }
}

/// Whether the system would give so many bytes now; it is asked where many are needed.
private func isThereMemory(for bytes: Int) -> Bool {
    guard bytes > 1 << 20 else { return true }
    let (access, kind) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS)
    guard let room = unsafe mmap(nil, bytes, access, kind, -1, 0), unsafe room != MAP_FAILED else {
        return false
    }
    unsafe munmap(room, bytes)
    return true
}
