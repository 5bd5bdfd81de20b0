import Foundation
import Testing

@testable import JSON

/// The fixture's JSON, read by Foundation rather than by what is tested.
func fixture<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let folder = try #require(Bundle.module.resourceURL).appending(path: "Fixtures")
    return try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
}

/// A text as the tree prints it.
func echo(_ body: [UInt8], depth: Int = 960) throws(JSONError) -> String {
    let tree = try JSONTree(JSONText(decoding: body), depth: depth)
    var output: [UInt8] = []
    tree.write(tree.root, into: &output)
    return String(decoding: output, as: UTF8.self)
}

/// Foundation's generator is the system's; these numbers are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
