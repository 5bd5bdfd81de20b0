import CFastCGI
import Glibc
import System

/// Receives the signals of a process on a thread of its own, so that none interrupts a read.
///
/// It is made on the main thread before all other threads, because threads inherit which signals
/// are blocked. From then on the signals wait until `start` names the function that handles them.
public final class SignalWaiter: Sendable {
    /// The signals that control a service.
    public static let steering: [Int32] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1]

    private let arrivals: Descriptor

    /// Blocks `signals` in the calling thread and in threads that it starts.
    ///
    /// Ignores SIGPIPE and SIGXFSZ, so that the calls behind them fail with an error instead.
    public init(_ signals: [Int32] = SignalWaiter.steering) throws(FastCGIError) {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { unsafe sigaddset(&set, number) }
        _ = SignalMask(blocking: set)
        // The starting process may have set some to be ignored, as nohup does.
        for number in signals { signal(number, SIG_DFL) }
        arrivals = try .opened(
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC)), by: "signalfd", for: "the process")
    }

    /// A waiter for the signals that arrive in a descriptor.
    init(arrivals: consuming Descriptor) { self.arrivals = arrivals }

    /// Starts the thread that calls `act` with each signal, for as long as the process lives.
    ///
    /// - Parameters:
    ///   - patience: gives the time limit of each wait; nil waits until a signal comes.
    ///   - failed: gets the reason if no more signals can be received; the thread ends then.
    ///   - act: gets the signal, or nil at the time limit.
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
        // Enough stack for a reload, which reads files and makes an encoder.
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
                // If this thread ended, only SIGKILL could stop the service.
                pause(milliseconds: 100)
            }
        }
    }
}
