/// Where the central directory of a zip file lies, from the records at the file's end.
///
/// PyTorch writes the 64-bit records into every file, whatever its size; if both records are
/// present they must agree.
struct ZipDirectory {
    /// The number of entries.
    let count: Int

    /// The directory's bytes.
    let range: Range<Int>

    init(locatedIn bytes: Span<UInt8>, file: String) throws(ModelFileError) {
        func damaged(_ reason: String) -> ModelFileError { .damaged(file: file, reason: reason) }

        let endLength = 22
        let end = bytes.count - endLength
        guard end >= 0, littleEndian32(bytes, at: end) == 0x0605_4B50,
            littleEndian16(bytes, at: end + 20) == 0
        else { throw damaged("cut short: does not end as a zip file does") }
        guard littleEndian32(bytes, at: end + 4) == 0,
            littleEndian16(bytes, at: end + 8) == littleEndian16(bytes, at: end + 10)
        else { throw damaged("a zip file in several parts") }
        var count = UInt64(littleEndian16(bytes, at: end + 10))
        var size = UInt64(littleEndian32(bytes, at: end + 12))
        var start = UInt64(littleEndian32(bytes, at: end + 16))
        var directoryEnd = end

        let locator = end - 20
        let record = locator - 56
        if record >= 0, littleEndian32(bytes, at: locator) == 0x0706_4B50 {
            guard littleEndian32(bytes, at: locator + 4) == 0,
                littleEndian64(bytes, at: locator + 8) == UInt64(record),
                littleEndian32(bytes, at: locator + 16) == 1,
                littleEndian32(bytes, at: record) == 0x0606_4B50,
                littleEndian64(bytes, at: record + 4) == 44,
                littleEndian64(bytes, at: record + 16) == 0,
                littleEndian64(bytes, at: record + 24) == littleEndian64(bytes, at: record + 32)
            else { throw damaged("the 64-bit end record of the zip file is wrong") }
            let wide = (
                littleEndian64(bytes, at: record + 32), littleEndian64(bytes, at: record + 40),
                littleEndian64(bytes, at: record + 48)
            )
            guard count == wide.0 || count == 0xFFFF, size == wide.1 || size == 0xFFFF_FFFF,
                start == wide.2 || start == 0xFFFF_FFFF
            else { throw damaged("the two end records of the zip file disagree") }
            (count, size, start) = wide
            directoryEnd = record
        }

        // A directory entry takes at least 46 bytes, so an honest count cannot exceed this.
        guard size <= UInt64(directoryEnd), start == UInt64(directoryEnd) - size,
            count <= size / 46
        else {
            throw damaged("the zip directory does not lie where its end record says")
        }
        self.count = Int(count)
        range = Int(start)..<directoryEnd
    }
}
