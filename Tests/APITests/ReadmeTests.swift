import API
import Foundation
import Testing

@Suite struct Readme {
    @Test func `shows the table of deliberate differences`() throws {
        let top = URL(filePath: #filePath).appending(path: "../../..").standardized
        let readme = try String(contentsOf: top.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains(DeliberateDifference.table))
    }
}
