@testable import ModelFiles

/// The zip file with the checksum of every entry of its directory put right, as far as it can be
/// found.
func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    func number(_ at: Int, _ width: Int) -> Int {
        (0..<width).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
    }
    func put(_ crc: UInt32, at: Int) {
        for i in 0..<4 { bytes[at + i] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * i)) }
    }
    for at in 0..<max(0, bytes.count - 45) where number(at, 4) == 0x0201_4B50 {
        let stored = number(at + 20, 4)
        let size = number(at + 24, 4)
        let local = number(at + 42, 4)
        guard local + 30 <= bytes.count, number(local, 4) == 0x0403_4B50 else { continue }
        let start = local + 30 + number(local + 26, 2) + number(local + 28, 2)
        guard start + stored <= bytes.count else { continue }
        var content = bytes[start..<start + stored]
        if number(at + 10, 2) == 8 {
            guard Inflate.isPossible(compressed: stored, size: size),
                let inflated = try? Inflate.decompress(
                    bytes, in: start..<start + stored, size: size)
            else { continue }
            content = inflated[...]
        }
        let crc = crc32(of: content)
        put(crc, at: at + 16)
        put(crc, at: local + 14)
    }
    return bytes
}
