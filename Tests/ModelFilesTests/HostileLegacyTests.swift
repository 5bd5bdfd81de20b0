import Tensors
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `Hostile files of the old PyTorch format` {
    private let pickle = Pickle.model(Pickle.tensor(storage: Pickle.storage(isOld: true)))
    private let content = [UInt8](repeating: 1, count: 16)

    private func expect(_ bytes: [UInt8], _ reason: String) throws {
        let line = try #require(refusal(of: bytes), "expected: \(reason)")
        #expect(line.contains(reason), "\(line)")
    }

    @Test func `differ from a harmless one only in what the tests change`() throws {
        let checkpoint = try Checkpoint(decoding: legacyFile(pickle), file: "model.pt")
        #expect(checkpoint.tensors.map(\.name) == ["a"])
        let tensor = checkpoint.tensors[0].tensor
        let last = tensor.span[3].bitPattern
        #expect(last == 0x0101_0101)
    }

    @Test func `are refused for storages that lie`() throws {
        let zero = Pickle.text("0")
        for count: UInt64 in [5, 1 << 62, 1 << 63, .max] {
            let file = legacyFile(pickle, storages: [(count, content)])
            try expect(file, "storage 0 of \(count) elements is cut short")
        }
        try expect(
            legacyFile(pickle, storages: [(3, Array(content.prefix(12)))]),
            "claims 4 elements of 4 bytes, data/0 has 12 bytes")
        try expect(legacyFile(pickle, storages: [(3, content)]), "4 bytes are left after its end")
        try expect(legacyFile(pickle, storages: []), "cut short")
        try expect(legacyFile(pickle, keys: [], storages: []), "has no storage data/0")
        let surplus = "lists a storage that nothing refers to, or one twice"
        try expect(legacyFile(pickle, keys: [Pickle.text("1")]), surplus)
        try expect(legacyFile(pickle, keys: [Pickle.integer(0)]), surplus)
        try expect(
            legacyFile(pickle, keys: [zero, zero], storages: [(4, content), (4, content)]), surplus)
        try expect(legacyFile(pickle) + [0], "1 bytes are left after its end")
    }

    @Test func `are refused for heads that lie`() throws {
        try expect(legacyFile(pickle, protocolNumber: 1002), "but not its protocol 1001")
        var other = legacyFile(pickle)
        other[4] ^= 1
        try expect(other, "neither a PyTorch nor a safetensors file but another pickle")
    }

    @Test func `are refused at every length they are cut to`() throws {
        for name in ["legacy.pt", "legacy4.pt", "legacy_views.pt"] {
            let whole = try fixtures.bytes(name)
            for length in whole.indices {
                #expect(refusal(of: Array(whole[..<length])) != nil, "\(name) cut to \(length)")
            }
        }
    }
}
