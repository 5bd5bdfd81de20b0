import CFastCGI
import Glibc
import System

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
        // Whoever starts us may have had some ignored, as nohup does.
        for number in signals { signal(number, SIG_DFL) }
        arrivals = try .opened(
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC)), by: "signalfd", for: "the process")
    }

    /// Signals that arrive in a descriptor.
    init(arrivals: consuming Descriptor) { self.arrivals = arrivals }

    /// Starts the thread that calls `act` with each signal, for as long as the process lives.
    ///
    /// - Parameters:
    ///   - patience: asked before each wait how long it may last; nil: until a signal comes.
    ///   - failed: told that no more signals can be received, and why; the thread ends then.
    ///   - act: gets the signal, or nil where none came in that time.
    public func start(
        patience: @escaping @Sendable () -> Duration? = { nil },
        failed: @escaping @Sendable (_ reason: String) -> Void = { _ in },
        _ act: @escaping @Sendable (_ signal: Int32?) -> Void
    ) throws(FastCGIError) {
        try startThread(patience: patience, failed: failed, act).detach()
    }

    func startThread(
        patience: @escaping @Sendable () -> Duration? = { nil },
        failed: @escaping @Sendable (_ reason: String) -> Void = { _ in },
        _ act: @escaping @Sendable (_ signal: Int32?) -> Void
    ) throws(FastCGIError) -> SystemThread {
        // Room for what a reload does: it reads files and makes an encoder.
        try serviceThread(stackBytes: 1 << 20) { [self] in
            while true {
                if let patience = patience(),
                    !arrivals.wait(for: POLLIN, until: .now + patience)
                {
                    act(nil)
                    continue
                }
                var arrival = signalfd_siginfo()
                let size = MemoryLayout<signalfd_siginfo>.size
                let count = unsafe read(arrivals.number, &arrival, size)
                if count == size { act(Int32(arrival.ssi_signo)) }
                guard count < 0, errno != EINTR else { continue }
                if [EBADF, EINVAL, EISDIR].contains(errno) {
                    failed(systemErrorText(errno))
                    return
                }
                // A thread that ended here would leave a service that only SIGKILL stops.
                pause(milliseconds: 100)
            }
        }
    }
}
