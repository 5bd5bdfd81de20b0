import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite struct `Packed weights` {
    private func reason(in folder: String) throws -> String? {
        let plain = try mapPublished(folder)
        switch try PackedWeights.find(
            in: folder, for: plain, loadConfiguration(folder: folder))
        {
        case .unfit(let reason), .unreadable(let reason): return reason
        case .fits: return nil
        case .missing: return "missing"
        case .impossible: return "impossible"
        }
    }

    private func embedding(of text: String, in folder: String) throws -> [Float] {
        try loadEmbedder(folder: folder, threads: 1).embed([text]).values
    }

    private func change(_ folder: String, _ body: (inout Data) -> Void) throws {
        let file = URL(filePath: PackedWeights.path(in: folder))
        var bytes = try Data(contentsOf: file)
        body(&bytes)
        try bytes.write(to: file)
    }

    @Test func `give the vectors of the published ones, and are written once`() throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder)
            #expect(try reason(in: folder) == "missing")
            let plain = try embedding(of: "the sea", in: folder)
            let first = try PackedWeights.write(folder: folder)
            #expect(first.path == folder + "/model.packed.safetensors" && first.isNew)
            #expect(try reason(in: folder) == nil)
            #expect(largestDifference(try embedding(of: "the sea", in: folder), plain) <= 1e-6)
            #expect(try !PackedWeights.write(folder: folder).isNew)
        }
    }

    @Test func `made from other weights are not used, and are made anew`() throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder)
            _ = try PackedWeights.write(folder: folder)
            try SmallEncoder.write(to: folder, seed: 2)
            #expect(try reason(in: folder) == "it was made from other weights")
            let lines = Lines()
            _ = try loadEncoder(folder: folder, report: lines.add)
            #expect(lines.all.count == 1 && lines.all[0].contains("made from other weights"))
            #expect(try PackedWeights.write(folder: folder).isNew)
            #expect(try reason(in: folder) == nil)
        }
    }

    @Test func `with one bit changed anywhere are not used`() throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder)
            _ = try PackedWeights.write(folder: folder)
            for place in [0.4, 0.7, 1] {
                try change(folder) { $0[Int(Double($0.count - 1) * place)] ^= 1 }
                #expect(try reason(in: folder) == "its checksum is wrong", "at \(place)")
                try change(folder) { $0[Int(Double($0.count - 1) * place)] ^= 1 }
            }
            #expect(try reason(in: folder) == nil)
            try change(folder) { $0.removeLast(4) }
            #expect(try reason(in: folder) != nil)
        }
    }

    @Test func `are impossible for sizes that are no multiples of six, which is said`() throws {
        try withFolder { folder in
            try SmallEncoder.write(to: folder, inner: 64)
            let error = #expect(throws: ModelFault.self) {
                try PackedWeights.write(folder: folder)
            }
            #expect(try #require(error).description.contains("multiples of 6"))
            #expect(try embedding(of: "the sea", in: folder).count == 384)
        }
    }
}
