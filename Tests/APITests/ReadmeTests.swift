import Foundation
import Testing

@Suite struct `The README` {
    @Test func `shows the table of deliberate differences`() throws {
        let tests = URL(filePath: #filePath).appending(path: "../..").standardized
        let file = tests.appending(path: "Conformance/README.md")
        let readme = try String(contentsOf: file, encoding: .utf8)
        #expect(readme.contains(DeliberateDifference.table))
    }
}
