import Testing

@testable import Threads

@Suite struct `A thread of the system` {
    @Test func `runs its body to the end`() throws {
        let (stages, before) = (Stages(), Stages().position)
        let thread = try SystemThread(niceness: 1) { stages.open(1, pieces: 3) }
        thread.join()
        #expect(before.stage == 0 && stages.position.stage == 1)
    }

    @Test func `that the system does not give is an error that says why`() {
        // More than an address space holds.
        #expect {
            try SystemThread(stackBytes: 1 << 60) {}
        } throws: { error in
            "\(error)".hasPrefix("the system gives no thread: ")
        }
    }
}
