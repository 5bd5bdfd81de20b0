import CFastCGI
import Glibc

/// libfcgi as a whole: initialised once, and tested once on the behaviour this target builds on.
enum Library {
    /// Prepares libfcgi; cheap after the first call.
    static func prepare() throws(FastCGIError) {
        try prepared.get()
    }

    private static let prepared: Result<Void, FastCGIError> = Result { () throws(FastCGIError) in
        initialise()
        try testItself()
    }

    /// Initialises libfcgi and takes back the signal handlers it installs: they would swallow
    /// SIGTERM and SIGUSR1, and cut reads short.
    private static func initialise() {
        // Where libfcgi closes a descriptor, it waits two seconds for the other end; 50 ms do.
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

    /// Sends one request through libfcgi.
    ///
    /// `ipcFd` and `keepConnection` are set from outside, which its header advises against; a
    /// version that treats them otherwise must stop the start rather than lose a request.
    private static func testItself() throws(FastCGIError) {
        let request = try LibraryRequest()
        // Twice, because the second request shows what the first left behind.
        for body in [Array("first".utf8), Array("second".utf8)] {
            let pairs: [UInt8] = [1, 2] + Array("KTV".utf8) + [1, 2] + Array("KTW".utf8)
            try request.begin(parameters: pairs)
            guard request.environment.filter({ $0.first == UInt8(ascii: "K") }).count == 2 else {
                throw .unfitLibrary("parameters")
            }
            var received: [UInt8] = []
            try request.read(body[...], into: &received)
            guard received == body else { throw .unfitLibrary("body") }
            guard request.endsCleanly() else { throw .unfitLibrary("end of body") }
            request.finish()
        }
    }
}
