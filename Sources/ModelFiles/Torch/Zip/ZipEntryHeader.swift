/// One entry of a zip file's central directory, and its twin in front of the content.
struct ZipEntryHeader {
    let name: String
    let crc: UInt32

    /// Bytes of content.
    let size: Int

    /// Bytes that the content takes in the file.
    let storedSize: Int

    /// Whether the content is compressed, with DEFLATE.
    let isCompressed: Bool

    /// Where the local header stands.
    let headerOffset: Int

    // Bits 1 and 2: how hard the compressor tried. Bit 3: sizes and checksum follow the content.
    // Bit 11: the name is UTF-8.
    private static let allowedFlags: UInt16 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 11
    private static let deflate: UInt16 = 8

    private let flags: UInt16

    /// Reads the directory entry at `at`, and moves `at` behind it.
    init(
        in bytes: Span<UInt8>, at: inout Int, end: Int, file: String
    ) throws(ModelFileError) {
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        guard end - at >= 46, littleEndian32(bytes, at: at) == 0x0201_4B50 else {
            throw damaged("the zip directory is cut short or altered")
        }
        let nameLength = Int(littleEndian16(bytes, at: at + 28))
        let extraLength = Int(littleEndian16(bytes, at: at + 30))
        let commentLength = Int(littleEndian16(bytes, at: at + 32))
        guard end - at - 46 >= nameLength + extraLength + commentLength,
            let name = String(
                validating: bytes.extracting(at + 46..<at + 46 + nameLength).copied,
                as: UTF8.self)
        else { throw damaged("the zip directory is cut short or altered") }
        let shown = printable(name)
        flags = littleEndian16(bytes, at: at + 8)
        guard flags & ~Self.allowedFlags == 0 else {
            throw damaged("entry \(shown) is encrypted or of an unknown kind")
        }
        let method = littleEndian16(bytes, at: at + 10)
        guard method == 0 || method == Self.deflate else {
            throw damaged("entry \(shown) is compressed in a way that PyTorch does not read")
        }
        guard littleEndian16(bytes, at: at + 34) == 0 else {
            throw damaged("entry \(shown) lies in another part of the zip file")
        }

        var stored = UInt64(littleEndian32(bytes, at: at + 20))
        var size = UInt64(littleEndian32(bytes, at: at + 24))
        var offset = UInt64(littleEndian32(bytes, at: at + 42))
        // The 64-bit extra field holds, in this order, only the numbers that do not fit in 32 bits.
        if size == 0xFFFF_FFFF || stored == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
            let extra = at + 46 + nameLength
            guard
                var wide = zip64Field(in: bytes, range: extra..<extra + extraLength)
            else { throw damaged("entry \(shown) lacks its 64-bit sizes") }
            func take(_ value: inout UInt64) -> Bool {
                guard value == 0xFFFF_FFFF else { return true }
                guard wide.count >= 8 else { return false }
                value = littleEndian64(bytes, at: wide.lowerBound)
                wide = wide.dropFirst(8)
                return true
            }
            guard take(&size), take(&stored), take(&offset) else {
                throw damaged("entry \(shown) lacks its 64-bit sizes")
            }
        }
        let isCompressed = method == Self.deflate
        guard stored <= UInt64(bytes.count), offset <= UInt64(bytes.count),
            size <= UInt64(Checkpoint.sizeLimit), isCompressed || stored == size,
            !isCompressed || Inflate.isPossible(compressed: Int(stored), size: Int(size))
        else { throw damaged("entry \(shown) lies about its size or place") }
        self.name = name
        crc = littleEndian32(bytes, at: at + 16)
        self.size = Int(size)
        storedSize = Int(stored)
        self.isCompressed = isCompressed
        headerOffset = Int(offset)
        at += 46 + nameLength + extraLength + commentLength
    }

    /// Where the stored content lies, after a check that the local header says the same; it ends
    /// before `limit`.
    func content(
        in bytes: Span<UInt8>, before limit: Int, file: String
    ) throws(ModelFileError) -> Range<Int> {
        let lie = ModelFileError.damaged(
            file: file, reason: "entry \(printable(name)) lies about its size or place")
        let at = headerOffset
        guard limit - at >= 30, littleEndian32(bytes, at: at) == 0x0403_4B50 else { throw lie }
        let nameLength = Int(littleEndian16(bytes, at: at + 26))
        let start = at + 30 + nameLength + Int(littleEndian16(bytes, at: at + 28))
        guard start <= limit, storedSize <= limit - start, nameLength == name.utf8.count,
            bytes.extracting(at + 30..<at + 30 + nameLength).copied.elementsEqual(name.utf8),
            littleEndian16(bytes, at: at + 6) == flags,
            littleEndian16(bytes, at: at + 8) == (isCompressed ? Self.deflate : 0)
        else { throw lie }
        let local = (
            crc: littleEndian32(bytes, at: at + 14), stored: littleEndian32(bytes, at: at + 18),
            size: littleEndian32(bytes, at: at + 22)
        )
        let isDeferred = flags & 1 << 3 != 0 && local == (0, 0, 0)
        guard isDeferred || local.crc == crc else { throw lie }
        if local.size == 0xFFFF_FFFF && local.stored == 0xFFFF_FFFF {
            guard let wide = zip64Field(in: bytes, range: at + 30 + nameLength..<start),
                wide.count >= 16,
                littleEndian64(bytes, at: wide.lowerBound) == UInt64(size),
                littleEndian64(bytes, at: wide.lowerBound + 8) == UInt64(storedSize)
            else { throw lie }
        } else if !isDeferred {
            guard Int(local.size) == size, Int(local.stored) == storedSize else { throw lie }
        }
        return start..<start + storedSize
    }
}

/// The content of the extra field with identifier 1, if there is one.
private func zip64Field(in bytes: Span<UInt8>, range: Range<Int>) -> Range<Int>? {
    var at = range.lowerBound
    while range.upperBound - at >= 4 {
        let length = Int(littleEndian16(bytes, at: at + 2))
        guard length <= range.upperBound - at - 4 else { return nil }
        if littleEndian16(bytes, at: at) == 1 { return at + 4..<at + 4 + length }
        at += 4 + length
    }
    return nil
}

extension Span<UInt8> {
    /// The elements as an array.
    fileprivate var copied: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for i in indices { bytes.append(self[i]) }
        return bytes
    }
}
