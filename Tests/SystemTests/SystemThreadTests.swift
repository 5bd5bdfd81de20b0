import Testing

@testable import System

@Suite struct `A thread of the system` {
    @Test func `runs its body to the end`() throws {
        let barrier = PhaseBarrier()
        #expect(barrier.number == 0)
        let thread = try SystemThread(niceness: 1) {
            _ = barrier.enter(1, chunks: 3, fromFront: true)
        }
        thread.join()
        #expect(barrier.number == 1)
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
