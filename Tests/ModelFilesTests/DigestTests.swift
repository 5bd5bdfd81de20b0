import System
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `SHA-256 of a file` {
    @Test func `is that of its bytes`() throws {
        let path = fixtures.path("embedding_denoiser.pt")
        let digest = try SHA256.hex(ofFile: path)
        // What coreutils' sha256sum says.
        #expect(digest == "7683945091549c240b31b6d836f88e9f108c312b98831f86099047ace39219d5")
        #expect(throws: ModelFileError.missing(file: "none.pt")) {
            try SHA256.hex(ofFile: "none.pt")
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
