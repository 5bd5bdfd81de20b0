import Testing

@testable import ModelFiles

@Suite struct `Hostile zip files` {
    private let file = torchFile(Pickle.model(Pickle.tensor()))

    /// Where the directory entry of `data/0` starts: the second and last one.
    private var entry: Int { last(0x0201_4B50) }

    /// Where its local header starts.
    private var local: Int { last(0x0403_4B50) }

    private func last(_ signature: UInt32) -> Int {
        (0..<file.count - 4).last { littleEndian32(file.span, at: $0) == signature } ?? 0
    }

    /// The file with the bytes at `offset` replaced by a number, lowest byte first.
    private func patched(_ offset: Int, _ value: some FixedWidthInteger) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: value)
        var copy = file
        copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        return copy
    }

    private func expect(_ bytes: [UInt8], _ reason: String) throws {
        let line = try #require(refusal(of: bytes), "expected: \(reason)")
        #expect(line.contains(reason), "\(line)")
    }

    @Test func `are refused for entries that lie about size, place, method or checksum`() throws {
        let lie = "entry archive/data/0 lies about its size or place"
        for size: UInt32 in [0, 12, 20, 1 << 31, .max - 1] {
            try expect(patched(entry + 20, size), lie)
            try expect(patched(entry + 24, size), lie)
            try expect(patched(entry + 20, UInt64(size) << 32 | UInt64(size)), lie)
            try expect(patched(local + 18, size | 1), lie)
            try expect(patched(local + 22, size | 1), lie)
        }
        for offset: UInt32 in [1, UInt32(local - 1), UInt32(file.count - 1), .max - 1] {
            try expect(patched(entry + 42, offset), lie)
        }
        try expect(patched(entry + 42, UInt32(0)), lie)
        try expect(patched(local + 26, UInt16.max), lie)
        try expect(patched(local + 28, UInt16.max), lie)
        try expect(patched(local + 8, UInt16(8)), lie)
        try expect(patched(entry + 10, UInt16(8)), "entry archive/data/0 is compressed")
        try expect(patched(entry + 8, UInt16(1)), "is encrypted or of an unknown kind")
        try expect(patched(entry + 34, UInt16(1)), "lies in another part")
        try expect(patched(entry + 16, UInt32(0)), lie)
        try expect(patched(entry + 28, UInt16.max), "directory is cut short or altered")
        try expect(patched(entry + 30, UInt16(1)), "directory is cut short or altered")
        try expect(patched(entry + 46, UInt8(0xFF)), "directory is cut short or altered")
    }

    @Test func `are refused for saturated sizes without the 64-bit ones`() throws {
        for offset in [20, 24, 42] {
            try expect(patched(entry + offset, UInt32.max), "lacks its 64-bit sizes")
        }
    }

    @Test func `are refused for 64-bit sizes beyond the file or beyond Int`() throws {
        // Python's `force_zip64` writes the extra fields; the reader must not trust them.
        let wide = try fixture("zip64.pt")
        #expect(refusal(of: wide) == nil)
        for (offset, saturated) in [(20, 1), (24, 1), (42, 1)] {
            for value: UInt64 in [.max, 1 << 63, 1 << 40] {
                var copy = file
                let extra = 46 + Int(littleEndian16(file.span, at: entry + 28))
                var field: [UInt8] = []
                field.append(littleEndian: UInt16(1))
                field.append(littleEndian: UInt16(8 * saturated))
                field.append(littleEndian: value)
                copy.insert(contentsOf: field, at: entry + extra)
                copy.replaceSubrange(entry + 30..<entry + 32, with: [12, 0])
                copy.replaceSubrange(
                    entry + offset..<entry + offset + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
                // The directory has grown by the field.
                let end = copy.count - 22
                let size = littleEndian32(copy.span, at: end + 12) + 12
                var bytes: [UInt8] = []
                bytes.append(littleEndian: size)
                copy.replaceSubrange(end + 12..<end + 16, with: bytes)
                try expect(copy, "lies about its size or place")
            }
        }
    }

    @Test func `are refused for end records that lie`() throws {
        let end = file.count - 22
        for count: UInt16 in [0, 1, 3, 4096, 0xFFFF] {
            try expect(patched(end + 8, UInt32(count) << 16 | UInt32(count)), "zip")
        }
        try expect(patched(end + 8, UInt16(1)), "several parts")
        try expect(patched(end + 4, UInt16(1)), "several parts")
        for value: UInt32 in [0, 1, UInt32(file.count), .max] {
            try expect(patched(end + 12, value), "does not lie where its end record says")
            try expect(patched(end + 16, value), "does not lie where its end record says")
        }
        try expect(patched(end + 20, UInt16(1)), "does not end as a zip file does")
        try expect(file + [0], "does not end as a zip file does")
    }

    @Test func `are refused for 64-bit end records that lie`() throws {
        let original = try fixture("small.pt")
        let locator = original.count - 42
        let record = locator - 56
        #expect(refusal(of: original) == nil)
        for (offset, value): (Int, UInt64) in [
            (locator + 8, 0), (locator + 8, .max), (record + 4, .max), (record + 4, 45),
            (record + 24, .max), (record + 32, .max), (record + 40, .max), (record + 48, .max),
            (record + 40, 1 << 63), (record + 48, 0),
        ] {
            var copy = original
            var bytes: [UInt8] = []
            bytes.append(littleEndian: value)
            copy.replaceSubrange(offset..<offset + 8, with: bytes)
            try expect(copy, "end record")
            // Nor may the 64-bit fields say it alone, with the 32-bit ones saturated.
            for index in copy.count - 14..<copy.count - 2 { copy[index] = 0xFF }
            #expect(refusal(of: copy) != nil)
        }
    }

    @Test func `are refused for repeated, overlapping or surplus entries`() throws {
        let pickle = Pickle.model(Pickle.tensor())
        try expect(
            torchFile(pickle, further: [("archive/data/0", [])]), "two entries named archive/data/0"
        )
        try expect(
            torchFile(pickle, further: [("other/data.pkl", pickle)]), "a zip file with 2 data.pkl")
        let many = (0..<ZipArchive.entryLimit).map { ("e/\($0)", [UInt8]()) }
        try expect(torchFile(pickle, further: many), "entries, more than the limit of 4096")
        try expect(
            torchFile(pickle, further: [("archive/byteorder", Array("big".utf8))]),
            "another byte order")

        // A second directory entry for the same bytes.
        var twice = file
        let start = file.count - 22
        var copy = Array(file[entry..<start])
        copy[copy.count - 1] = UInt8(ascii: "1")
        twice.insert(contentsOf: copy, at: start)
        var counts: [UInt8] = []
        counts.append(littleEndian: UInt16(3))
        counts.append(littleEndian: UInt16(3))
        counts.append(
            littleEndian: littleEndian32(file.span, at: start + 12) + UInt32(copy.count))
        let end = twice.count - 22
        twice.replaceSubrange(end + 8..<end + 16, with: counts)
        try expect(twice, "lies about its size or place")
        // The local header can only have one of the names; entries of one name repeat.
        twice[start + copy.count - 1] = UInt8(ascii: "0")
        try expect(twice, "two entries named")
    }
}
