import CFastCGI
import Glibc

/// Receives the signals of a process on a thread of its own, so that none cuts a read short.
///
/// Made first of all on the main thread, because threads inherit which signals are blocked:
/// from then on the signals wait here until `start` names who acts on them.
public final class SignalWaiter: Sendable {
    /// The signals by which users steer a service.
    public static let steering: [Int32] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1]

    private let arrivals: Descriptor

    /// Blocks `signals` in the calling thread and those it starts; ignores SIGPIPE and SIGXFSZ,
    /// whose calls then fail with an error that is handled where they are made.
    public init(_ signals: [Int32] = SignalWaiter.steering) throws(FastCGIError) {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { unsafe sigaddset(&set, number) }
        _ = SignalMask(blocking: set)
        arrivals = try .opened(
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC)), by: "signalfd", for: "the process")
    }

    /// Starts the thread that calls `act` with each signal, for as long as the process lives.
    public func start(
        _ act: @escaping @Sendable (_ signal: Int32) -> Void
    ) throws(FastCGIError) {
        try startThread(act).detach()
    }

    func startThread(
        _ act: @escaping @Sendable (_ signal: Int32) -> Void
    ) throws(FastCGIError) -> ServiceThread {
        try ServiceThread(stackBytes: 1 << 18) { [self] in
            while true {
                var arrival = signalfd_siginfo()
                let size = MemoryLayout<signalfd_siginfo>.size
                let count = unsafe read(arrivals.number, &arrival, size)
                if count == size { act(Int32(arrival.ssi_signo)) }
                if count < 0 && errno != EINTR { return }
            }
        }
    }
}
