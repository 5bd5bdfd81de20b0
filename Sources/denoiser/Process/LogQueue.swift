import Glibc
import Synchronization
import System

/// A queue of lines for standard error; its thread writes them, so that logging never waits.
///
/// A line for which there is no room is dropped and counted. The log tells the count as soon as
/// lines can be written again.
final class LogQueue: Sendable {
    fileprivate struct State {
        var lines: [[UInt8]] = []
        var bytes = 0
        /// Whether the thread is writing lines.
        var isWriting = false
        var isStarted = false
        /// Whether lines wait to be let out, or dropped.
        var isHolding = false
        /// Dropped lines that the log has not told.
        var untold = 0
        var dropped = 0
    }

    /// The queue of `log`.
    static let shared = LogQueue()

    /// Bytes of lines that may wait.
    private static let room = 256 << 10

    private let state = Mutex(State())
    private let bell = Semaphore()

    /// Lines dropped so far.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Starts the thread; until then `add` takes nothing, and from then on nothing is written until
    /// `letOut`.
    func start() throws(ThreadRefusal) {
        try SystemThread { self.serve() }.detach()
        state.withLock { ($0.isStarted, $0.isHolding) = (true, true) }
    }

    /// Has the lines that were taken so far written.
    func letOut() {
        let isNew = state.withLock { state in
            defer { state.isHolding = false }
            return state.isHolding && !state.lines.isEmpty
        }
        if isNew { bell.signal() }
    }

    /// Drops the lines that were not let out: why a start failed is to be read in one.
    func forget() {
        state.withLock { state in
            guard state.isHolding else { return }
            (state.lines, state.bytes, state.isHolding) = ([], 0, false)
        }
    }

    /// Takes a line, or counts it as dropped; false if no thread was started.
    func add(_ line: String) -> Bool {
        let bytes = Array(line.utf8)
        let (isStarted, isNew) = state.withLock { state in
            guard state.isStarted else { return (false, false) }
            guard state.bytes + bytes.count <= Self.room else {
                state.dropped += 1
                state.untold += 1
                return (true, false)
            }
            state.bytes += bytes.count
            state.lines.append(bytes)
            return (true, !state.isHolding)
        }
        if isNew { bell.signal() }
        return isStarted
    }

    /// Waits until all lines are written, but no longer than `timeout`.
    func finish(within timeout: Duration) {
        let deadline = ContinuousClock.now + timeout
        while deadline > .now, state.withLock({ $0.isWriting || !$0.lines.isEmpty }) {
            usleep(2_000)
        }
    }

    private func serve() {
        while true {
            bell.wait()
            let (lines, untold) = state.withLock { $0.take() }
            let failed = portions(of: lines).reduce(0) { $0 + (deliver($1.bytes) ? 0 : $1.lines) }
            let isTold = untold > 0 && failed == 0 && deliver(Array(notice(untold).utf8))
            state.withLock { state in
                state.isWriting = false
                state.dropped += failed
                state.untold += failed + (isTold ? 0 : untold)
            }
        }
    }

    /// Whole lines in portions that a pipe with room takes whole.
    private func portions(of lines: [[UInt8]]) -> [(bytes: [UInt8], lines: Int)] {
        var portions: [(bytes: [UInt8], lines: Int)] = []
        for line in lines {
            if let last = portions.last, last.bytes.count + line.count <= Int(PIPE_BUF) {
                portions[portions.count - 1].bytes += line
                portions[portions.count - 1].lines += 1
            } else {
                portions.append((line, 1))
            }
        }
        return portions
    }

    private func notice(_ count: Int) -> String {
        format("\(count) lines of the log were dropped, because nobody took them in time")
    }

    /// Writes lines to standard error; false if that fails.
    private func deliver(_ lines: [UInt8]) -> Bool {
        var rest = lines[...]
        while !rest.isEmpty {
            // Polled again and again: standard error may become another file while this one has no
            // reader.
            var target = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
            let isReady = unsafe poll(&target, 1, 250)
            if isReady == 0 || isReady < 0 && errno == EINTR { continue }
            // A pipe that is ready takes this many bytes whole.
            let portion = Array(rest.prefix(Int(PIPE_BUF)))
            let count = unsafe write(2, portion, portion.count)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

extension LogQueue.State {
    fileprivate mutating func take() -> (lines: [[UInt8]], untold: Int) {
        defer { (lines, bytes, untold) = ([], 0, 0) }
        isWriting = !lines.isEmpty
        return (lines, untold)
    }
}
