import Foundation
import Testing
import TestSupport

@testable import ModelFiles

@Suite struct `A replaced file` {
    @Test func `leaves the temporary of a living process alone and removes that of a dead one`()
        throws
    {
        try withFolder { folder in
            let path = "\(folder)/a"
            try Data([1]).write(to: URL(fileURLWithPath: path))
            // The process that runs the tests was started by one that waits for it.
            let (living, dead) = (".a.\(getppid()).new", ".a.4194305.new")
            for name in [living, dead] {
                try Data([2]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try replaceFile(at: path, with: [3], likeThatAt: path)
            #expect(names(in: folder).sorted() == [living, "a"])
        }
    }
}
