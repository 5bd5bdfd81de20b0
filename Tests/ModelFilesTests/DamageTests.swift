import Foundation
import Testing
import TestSupport

@testable import ModelFiles

/// Every file is read whole and right, or refused in one line; `refusal` checks the line.
@Suite struct `Damaged files` {
    private static let small = ["small.pt", "oldest.pt", "small.safetensors", "written.pt"]

    private func isUnharmed(_ bytes: [UInt8], like original: Checkpoint) throws -> Bool {
        try Checkpoint(decoding: bytes, file: "model.pt").version == original.version
    }

    @Test(arguments: small) func `are refused at every length they are cut to`(
        name: String
    ) throws {
        let whole = try fixtures.bytes(name)
        for length in whole.indices {
            #expect(refusal(of: Array(whole[..<length])) != nil, "cut to \(length)")
        }
        #expect(refusal(of: whole) == nil)
    }

    @Test func `of full size are refused wherever they are cut`() throws {
        let whole = try fixtures.bytes("embedding_denoiser.pt")
        for length in stride(from: 0, to: whole.count, by: 1021) {
            #expect(refusal(of: Array(whole[..<length])) != nil, "cut to \(length)")
        }
    }

    /// A flip is either found or in a byte that means nothing, such as padding.
    ///
    /// The values are then the same. In safetensors, which has no checksum, the tensors themselves
    /// are left out.
    @Test(arguments: small) func `with one bit flipped give the same values or none`(
        name: String
    ) throws {
        let whole = try fixtures.bytes(name)
        let original = try Checkpoint(decoding: whole, file: name)
        let isChecked = name.hasSuffix(".pt")
        let end = isChecked ? whole.count : 8 + Int(littleEndian64(whole.span, at: 0))
        var (found, harmless) = (0, 0)
        for index in 0..<end {
            // All bits of the shortest file, one of each byte of the others.
            for bit in name == "written.pt" ? 0..<8 : index % 8..<index % 8 + 1 {
                var bytes = whole
                bytes[index] ^= 1 << UInt8(bit)
                if refusal(of: bytes) != nil {
                    found += 1
                } else {
                    harmless += 1
                    if isChecked {
                        #expect(
                            try isUnharmed(bytes, like: original), "bit \(bit) of byte \(index)")
                    }
                }
            }
        }
        print("\(name): \(found) flips refused, \(harmless) without effect")
        #expect(found > 2 * harmless || !isChecked)
    }

    @Test func `of full size with a bit of a tensor flipped fail their checksum`() throws {
        let whole = try fixtures.bytes("embedding_denoiser.pt")
        let archive = try ZipArchive(whole, file: "model.pt")
        var random = SplitMix(state: 2)
        for (name, range) in archive.entries {
            for _ in 0..<8 {
                var bytes = whole
                let index = range.lowerBound + Int(random.next() % UInt64(range.count))
                bytes[index] ^= 1 << UInt8(random.next() % 8)
                let line = try #require(refusal(of: bytes), "byte \(index)")
                #expect(line.hasSuffix("content of \(name) fails its checksum"), "\(line)")
            }
        }
    }

    /// `MUTATIONS` raises the number; 1,000,000 take some minutes in an optimised build.
    @Test func `with random alterations are read or refused, never more`() throws {
        let asked = ProcessInfo.processInfo.environment["MUTATIONS"].flatMap { Int($0) }
        let seeds = try [
            "small.pt", "protocol4.pt", "strided.pt", "extras.pt", "zip64.pt", "written.pt",
            "small.safetensors", "system.pt", "half.pt", "parameter.pt", "forms.pt", "views.pt",
            "sides.pt", "sides_plain5.pt", "compressed.pt", "compressed_fixed.pt", "legacy.pt",
            "legacy_views.pt", "sides_legacy3.pt",
        ].map(fixtures.bytes)
        var random = SplitMix(state: 3)
        var (refused, read) = (0, 0)
        for _ in 0..<(asked ?? 4_000) {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            random.alter(&bytes)
            if random.next() % 2 == 0 { bytes = withChecksumsMended(bytes) }
            if refusal(of: bytes) == nil { read += 1 } else { refused += 1 }
        }
        print("random alterations: \(refused) refused, \(read) read")
        #expect(refused > read)
    }

    /// Lets alterations of content through to the readers behind the checksum.
    private func withChecksumsMended(_ bytes: [UInt8]) -> [UInt8] {
        var mended = bytes
        var at = 0
        while at + 46 <= bytes.count {
            if littleEndian32(bytes.span, at: at) == 0x0201_4B50 {
                let local = Int(littleEndian32(bytes.span, at: at + 42))
                if let sum = contentSum(of: bytes, entry: at, local: local) {
                    var crc: [UInt8] = []
                    crc.append(littleEndian: sum)
                    mended.replaceSubrange(at + 16..<at + 20, with: crc)
                    if littleEndian16(bytes.span, at: local + 6) & 8 == 0 {
                        mended.replaceSubrange(local + 14..<local + 18, with: crc)
                    }
                }
            }
            at += 1
        }
        return mended
    }

    /// The checksum of an entry's content; nil if that cannot be found or decompressed.
    private func contentSum(of bytes: [UInt8], entry: Int, local: Int) -> UInt32? {
        let stored = Int(littleEndian32(bytes.span, at: entry + 20))
        let size = Int(littleEndian32(bytes.span, at: entry + 24))
        guard local + 30 <= bytes.count else { return nil }
        let start =
            local + 30 + Int(littleEndian16(bytes.span, at: local + 26))
            + Int(littleEndian16(bytes.span, at: local + 28))
        guard start <= bytes.count, stored <= bytes.count - start else { return nil }
        let range = start..<start + stored
        if littleEndian16(bytes.span, at: entry + 10) != 8 { return crc32(of: bytes, in: range) }
        guard Inflate.isPossible(compressed: stored, size: size) else { return nil }
        return (try? Inflate.decompress(bytes, in: range, size: size)).map { crc32(of: $0[...]) }
    }
}

extension SplitMix {
    /// One to four alterations of the kinds that files suffer or attackers try.
    fileprivate mutating func alter(_ bytes: inout [UInt8]) {
        for _ in 0...(next() % 4) where !bytes.isEmpty {
            let index = Int(next() % UInt64(bytes.count))
            switch next() % 8 {
            case 0: bytes[index] ^= 1 << UInt8(next() % 8)
            case 1: bytes[index] = UInt8(truncatingIfNeeded: next())
            case 2:
                let telling: [UInt8] = [0x00, 0xFF, 0x7F, 0x80, 0x2E, 0x28, 0x52, 0x93]
                bytes[index] = telling[Int(next() % 8)]
            case 3: bytes.remove(at: index)
            case 4: bytes.insert(UInt8(truncatingIfNeeded: next()), at: index)
            case 5: bytes.removeSubrange(index...)
            case 6:
                let end = min(bytes.count, index + Int(next() % 16))
                bytes.insert(contentsOf: bytes[index..<end], at: Int(next() % UInt64(index + 1)))
            default:
                // A length or offset made extreme.
                for place in index..<min(bytes.count, index + 4) { bytes[place] = 0xFF }
            }
        }
    }
}
