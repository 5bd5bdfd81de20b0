import Testing

@testable import ModelFiles

@Suite struct `SHA-256` {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func `agrees with the examples of FIPS 180-4`(message: String, digest: String) {
        #expect(SHA256.hex(of: Array(message.utf8)) == digest)
    }

    @Test func `of a file is that of its bytes`() throws {
        let path = fixturePath("embedding_denoiser.pt")
        let digest = try SHA256.hex(ofFile: path)
        // What coreutils' sha256sum says.
        #expect(digest == "7683945091549c240b31b6d836f88e9f108c312b98831f86099047ace39219d5")
        #expect(throws: ModelFileError.missing(file: "none.pt")) {
            try SHA256.hex(ofFile: "none.pt")
        }
    }

    @Test func `does not depend on how the message is cut`() {
        let message = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = SHA256.hex(of: message)
        for cut in 0...300 {
            var hash = SHA256()
            let (head, tail) = (Array(message[..<cut]), Array(message[cut...]))
            hash.update(head.span)
            hash.update(tail.span)
            #expect(hash.finish().map(hexByte).joined() == whole, "cut at \(cut)")
        }
    }
}

@Suite struct `CRC-32` {
    @Test func `agrees with the catalogue's check value`() {
        let bytes = Array("123456789".utf8)
        #expect(crc32(of: bytes, in: 0..<9) == 0xCBF4_3926)
        #expect(crc32(of: bytes, in: 0..<0) == 0)
    }

    @Test func `agrees with the bitwise definition at every length and offset`() {
        let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        for start in 0..<8 {
            for end in start...64 {
                var crc: UInt32 = 0xFFFF_FFFF
                for byte in bytes[start..<end] {
                    crc ^= UInt32(byte)
                    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
                }
                #expect(crc32(of: bytes, in: start..<end) == ~crc)
            }
        }
    }
}
