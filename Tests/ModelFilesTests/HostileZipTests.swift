import Tensors
import Testing
import TestSupport

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
        try expect(patched(entry + 10, UInt16(8)), lie)
        for method: UInt16 in [1, 9, 12, 14, 93, .max] {
            try expect(
                patched(entry + 10, method),
                "entry archive/data/0 is compressed in a way that PyTorch does not read")
        }
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
        let wide = try fixtures.bytes("zip64.pt")
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
        let original = try fixtures.bytes("small.pt")
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
            torchFile(pickle, further: [("archive/byteorder", Array("middle".utf8))]),
            "a byte order that is neither little nor big")

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

    @Test func `are refused for an overlap before any content is checked`() throws {
        var bytes = torchFile(
            Pickle.model(Pickle.tensor()), further: [("archive/data/1", [1, 2, 3, 4])])
        // `data/0` takes on bytes of the next header, under a checksum that is wrong by that.
        var sizes: [UInt8] = []
        sizes.append(littleEndian: UInt32(17))
        sizes.append(littleEndian: UInt32(17))
        let name = Array("archive/data/0".utf8)
        for (signature, field, start): (UInt32, Int, Int) in [
            (0x0403_4B50, 18, 30), (0x0201_4B50, 20, 46),
        ] {
            let at = try #require(
                (0..<bytes.count - 60).first {
                    littleEndian32(bytes.span, at: $0) == signature
                        && bytes[($0 + start)...].starts(with: name)
                })
            bytes.replaceSubrange(at + field..<at + field + 8, with: sizes)
        }
        try expect(bytes, "entries of the zip file overlap")
    }

    /// The file with `data/0` as this DEFLATE stream, which is said to hold `size` bytes.
    private func compressed(
        _ stream: [UInt8], size: Int = 16, crc: UInt32? = nil, count: Int = 1
    ) -> [UInt8] {
        let content = [UInt8](repeating: 1, count: 16)
        var bytes = torchFile(
            Pickle.model(Pickle.tensor()), storage: stream,
            further: (1..<max(count, 1)).map { ("archive/data/\($0)", stream) })
        var fields: [UInt8] = []
        fields.append(littleEndian: crc ?? crc32(of: content, in: content.indices))
        fields.append(littleEndian: UInt32(stream.count))
        fields.append(littleEndian: UInt32(size))
        for at in 0..<bytes.count - 4 {
            for (signature, method, name): (UInt32, Int, Int) in [
                (0x0403_4B50, 8, 30), (0x0201_4B50, 10, 46),
            ] where littleEndian32(bytes.span, at: at) == signature {
                guard bytes[(at + name)...].starts(with: "archive/data/".utf8) else { continue }
                bytes[at + method] = 8
                bytes.replaceSubrange(at + method + 6..<at + method + 18, with: fields)
            }
        }
        return bytes
    }

    @Test func `differ from a harmless compressed one only in what the tests change`() throws {
        // A stored block; and with fixed codes a 1 and a copy of 15 over distance 1.
        let stored = [0x01, 0x10, 0x00, 0xEF, 0xFF] + [UInt8](repeating: 1, count: 16)
        for stream in [stored, [0x63, 0x44, 0x03, 0x00]] {
            let model = try Checkpoint(decoding: compressed(stream), file: "model.pt")
            let tensor = model.tensors[0].tensor
            let last = tensor.span[3].bitPattern
            #expect(last == 0x0101_0101)
        }
    }

    @Test(
        arguments: [
            ("nothing", []),
            ("a block of the kind that is none", [0x07]),
            (
                "a block that never ends",
                [0x00, 0x10, 0x00, 0xEF, 0xFF] + Array(repeating: 1, count: 16)
            ),
            ("a length that its complement denies", [0x01, 0x10, 0x00, 0xEF, 0xFE]),
            ("a stored block that is cut short", [0x01, 0x10, 0x00, 0xEF, 0xFF, 1]),
            (
                "a stored block longer than promised",
                [0x01, 0x11, 0x00, 0xEE, 0xFF] + Array(repeating: 1, count: 17)
            ),
            (
                "a stored block shorter than promised",
                [0x01, 0x0F, 0x00, 0xF0, 0xFF] + Array(repeating: 1, count: 15)
            ),
            ("bytes after the end", [0x63, 0x44, 0x03, 0x00, 0x00]),
            ("codes that are cut short", [0x63, 0x44]),
            ("a copy from before the start", [0x03, 0x02, 0x00]),
            ("a literal count beyond the alphabet", [0xF5, 0x00, 0x00, 0x00, 0x00, 0x00]),
            ("a distance count beyond the alphabet", [0x05, 0x1E, 0x00, 0x00, 0x00, 0x00]),
            ("more codes than fit", [0x05, 0x00, 0x92] + Array(repeating: 0, count: 9)),
            ("a repetition of nothing", [0x05, 0x00, 0x12] + Array(repeating: 0, count: 9)),
            ("more lengths than codes", [0x05, 0x00, 0x90, 0xE0, 0xFF, 0xFF, 0x1F, 0, 0, 0, 0]),
            ("a distance of no meaning", [0x63, 0x04, 0x3E, 0x00]),
            ("a length of no meaning", [0x1B, 0x03, 0x00, 0x00]),
            ("noise", [0xED, 0xFD, 0x35, 0x91, 0x77, 0x00, 0x5A, 0x10, 0x33]),
        ] as [(String, [UInt8])])
    func `are refused for compressed content with`(what: String, stream: [UInt8]) throws {
        try expect(compressed(stream), "content of archive/data/0 cannot be decompressed")
    }

    @Test func `are refused for compressed content of another size than promised`() throws {
        let stream: [UInt8] = [0x63, 0x44, 0x03, 0x00]
        for size in [0, 1, 15, 17, 64, 4096] {
            try expect(compressed(stream, size: size), "cannot be decompressed")
        }
        for size in [8192, 1 << 20, 1 << 26, 1 << 31, Int(UInt32.max) - 1] {
            try expect(compressed(stream, size: size), "lies about its size or place")
        }
        try expect(compressed(stream, crc: 0), "content of archive/data/0 fails its checksum")
    }

    @Test func `cannot unfold into more than a model may take`() throws {
        let noise = [UInt8](repeating: 0xFF, count: 50_000)
        try expect(
            compressed(noise, size: 40 << 20, count: 2), "unfolds into more than 67108864 bytes")
    }
}
