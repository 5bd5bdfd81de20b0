import CFastCGI
import Glibc

/// libfcgi as a whole: initialised once, and tested once for the behaviour that this target needs.
enum Library {
    /// Initialises and tests libfcgi; cheap after the first call.
    static func prepare() throws(FastCGIError) {
        try prepared.get()
    }

    private static let prepared: Result<Void, FastCGIError> = Result { () throws(FastCGIError) in
        initialise()
        do throws(FastCGIError) { try testItself() } catch {
            // The library does not tell a call that the system refused from a request that it
            // refuses itself.
            try testSystem()
            throw error
        }
    }

    /// Initialises libfcgi and removes the signal handlers that it installs.
    ///
    /// They would swallow SIGTERM and SIGUSR1, and cut reads short.
    private static func initialise() {
        // Before libfcgi closes a descriptor it waits for the other end, by default far too long.
        _ = unsafe setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "50", 0)
        let signals = [SIGPIPE, SIGUSR1, SIGTERM]
        var previous = signals.map { _ in sigaction() }
        for (index, number) in signals.enumerated() {
            _ = unsafe sigaction(number, nil, &previous[index])
        }
        FCGX_Init()
        for (index, number) in signals.enumerated() {
            _ = unsafe sigaction(number, &previous[index], nil)
        }
    }

    /// Sends a byte through a pair of sockets, as libfcgi reads it.
    private static func testSystem() throws(FastCGIError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw .system(call: "socketpair", subject: "a request", code: errno)
        }
        let near = Descriptor(ends[0])
        let far = Descriptor(ends[1])
        var byte: UInt8 = 0
        guard unsafe write(near.number, &byte, 1) == 1 else {
            throw .system(call: "write", subject: "a request's socket pair", code: errno)
        }
        guard unsafe read(far.number, &byte, 1) == 1 else {
            throw .system(call: "read", subject: "a request's socket pair", code: errno)
        }
    }

    /// Sends one request through libfcgi.
    ///
    /// `ipcFd` and `keepConnection` are set from outside, which the library's header advises
    /// against. A version that treats them differently must end the start; it could lose a request.
    private static func testItself() throws(FastCGIError) {
        let request = try LibraryRequest()
        // Twice, because the second request shows what the first one left behind.
        for value in ["TV", "UW"] {
            let pairs: [UInt8] =
                [1, 2] + Array("K\(value)".utf8) + [1, 2] + Array("L\(value)".utf8)
            try request.begin(parameters: pairs)
            let expected = Array("K=\(value)\0L=\(value)\0".utf8)
            guard request.environment.suffix(expected.count) == expected[...] else {
                throw .unfitLibrary("parameters")
            }
            request.finish()
        }
    }
}
