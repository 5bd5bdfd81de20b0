import Foundation
import Testing
import ModelFiles
import Kernels

@Suite struct `Scratch` {
    @Test func `reads`() throws {
        let c = try Checkpoint(reading: "/work/shared/reference/models/embedding_denoiser.pt")
        for t in c.tensors { print(t.name, t.tensor.shape, t.tensor.span[0]) }
        print(c.embeddingDimension as Any, c.version, c.metadata)
        let m = Checkpoint(tensors: c.tensors, embeddingDimension: 384, settings: "{\"a\":1}", corpusDigest: "ab", report: "x\u{1F600}\n")
        try Data(m.encoded(as: .pt)).write(to: URL(fileURLWithPath: "/tmp/modelfiles/ours.pt"))
        try Data(m.encoded(as: .safetensors)).write(to: URL(fileURLWithPath: "/tmp/modelfiles/ours.safetensors"))
        let f = try SafetensorsFile(mapping: "/opt/encoder/files/model.safetensors")
        let q = try f.tensor("encoder.layer.0.attention.self.query.bias", shape: [384]); print(f.names.count, f.metadata, q.span[0])
    }
}
