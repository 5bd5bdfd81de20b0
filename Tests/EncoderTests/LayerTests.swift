import Encoder
import Foundation
import Tensors
import Testing
import TestSupport

@Suite struct `Encoder layers` {
    @Test(arguments: ["short", "long"], RealEncoder.Weights.allCases)
    func `every named tensor is within 1e-5 of its largest magnitude`(
        text: String, weights: RealEncoder.Weights
    ) throws {
        let encoder = try RealEncoder.encoder(weights)
        let reference = try Safetensors(fixtures.url("layers.safetensors"))
        var batch = PackedBatch()
        batch.append(try #require(reference.ids("\(text)/ids")))
        var workspace = encoder.makeWorkspace(tokens: batch.tokens)
        var embedding = Matrix(rows: 1, columns: encoder.configuration.hidden)
        var span = embedding.mutableSpan
        var seen: Set<String> = ["\(text)/ids"]
        encoder.encode(batch, workspace: &workspace, into: &span) { intermediate, values in
            let name = "\(text)/\(intermediate)"
            seen.insert(name)
            guard let expected = reference.floats(name), expected.count == values.count else {
                Issue.record("\(name): \(values.count) values, not as in the reference")
                return
            }
            let largest = expected.map(abs).max() ?? 0
            let difference = expected.indices.map { abs(values[$0] - expected[$0]) }.max() ?? 0
            print(
                "\(name), \(weights): within \(difference) of \(largest), \(difference / largest)")
            #expect(difference <= 1e-5 * largest, "\(name)")
        }
        #expect(seen == Set(reference.names.filter { $0.hasPrefix(text) }))
    }
}
