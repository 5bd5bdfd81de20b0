import Foundation
import TestSupport

@testable import JSON

/// What Python's json module gives.
let fixtures = Fixtures(in: .module)

/// A text as the tree prints it.
func echo(_ body: [UInt8], depth: Int = 960) throws(JSONError) -> String {
    let tree = try JSONTree(JSONText(decoding: body), depth: depth)
    var output: [UInt8] = []
    tree.write(tree.root, into: &output)
    return String(decoding: output, as: UTF8.self)
}
