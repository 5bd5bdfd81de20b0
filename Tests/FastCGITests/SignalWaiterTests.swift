import Glibc
import Synchronization
import System
import Testing

@testable import FastCGI

@Suite struct `The signal waiter` {
    @Test func `That no more signals can be received is told with the reason`() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        // The end of a pipe that is written to cannot be read from.
        let waiter = SignalWaiter(arrivals: Descriptor(ends[1]))
        let told = Mutex<String?>(nil)
        let thread = try waiter.startThread(
            failed: { reason in told.withLock { $0 = reason } }, { _ in })
        thread.join()
        #expect(told.withLock { $0 } == "Bad file descriptor")
    }
}
