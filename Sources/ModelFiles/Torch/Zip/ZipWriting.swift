/// A zip file of stored entries as `torch.save` lays them out: content at multiples of 64 bytes.
struct ZipWriting {
    private var file: [UInt8] = []
    private var directory: [UInt8] = []
    private var count = 0

    /// Content starts at a multiple of this, so that a mapped tensor is aligned.
    static let alignment = 64

    /// 1 January 1980, the earliest date: equal contents give equal files.
    private static let date: UInt16 = 1 << 5 | 1

    /// Appends an entry; names must differ, and the file must stay below 4 GiB.
    mutating func append(_ content: [UInt8], named name: String) {
        let offset = file.count
        precondition(offset + content.count < Int(UInt32.max), "a zip file beyond 4 GiB")
        let crc = crc32(of: content, in: content.indices)

        let fixed = offset + 30 + name.utf8.count + 4
        let padding = (Self.alignment - fixed % Self.alignment) % Self.alignment
        file.append(littleEndian: UInt32(0x0403_4B50))
        appendCommon(to: &file, crc: crc, content: content, name: name)
        file.append(littleEndian: UInt16(4 + padding))
        file.append(contentsOf: name.utf8)
        file.append(contentsOf: "FB".utf8)
        file.append(littleEndian: UInt16(padding))
        file.append(contentsOf: repeatElement(UInt8(ascii: "Z"), count: padding))
        file.append(contentsOf: content)

        directory.append(littleEndian: UInt32(0x0201_4B50))
        directory.append(littleEndian: UInt16(0))
        appendCommon(to: &directory, crc: crc, content: content, name: name)
        // No extra field, no comment, first part, no attributes.
        directory.append(contentsOf: repeatElement(0, count: 12))
        directory.append(littleEndian: UInt32(offset))
        directory.append(contentsOf: name.utf8)
        count += 1
    }

    /// The fields that both headers of an entry share.
    private func appendCommon(
        to header: inout [UInt8], crc: UInt32, content: [UInt8], name: String
    ) {
        header.append(littleEndian: UInt16(0))  // version needed, as PyTorch writes it
        header.append(littleEndian: UInt16(1 << 11))  // the name is UTF-8
        header.append(littleEndian: UInt16(0))  // stored
        header.append(littleEndian: UInt16(0))  // midnight
        header.append(littleEndian: Self.date)
        header.append(littleEndian: crc)
        header.append(littleEndian: UInt32(content.count))
        header.append(littleEndian: UInt32(content.count))
        header.append(littleEndian: UInt16(name.utf8.count))
    }

    /// The whole file.
    consuming func finish() -> [UInt8] {
        let start = file.count
        file.append(contentsOf: directory)
        file.append(littleEndian: UInt32(0x0605_4B50))
        file.append(littleEndian: UInt32(0))  // one part
        file.append(littleEndian: UInt16(count))
        file.append(littleEndian: UInt16(count))
        file.append(littleEndian: UInt32(directory.count))
        file.append(littleEndian: UInt32(start))
        file.append(littleEndian: UInt16(0))  // no comment
        return file
    }
}
