package import Glibc

/// The signals a thread had blocked before.
@safe
package struct SignalMask {
    private let previous: sigset_t

    /// Blocks every signal in the calling thread except those that report a fault in it.
    ///
    /// If these were blocked, they would end the process without a message.
    package static func blockAll() -> SignalMask {
        var all = sigset_t()
        unsafe sigfillset(&all)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] {
            unsafe sigdelset(&all, fault)
        }
        return SignalMask(blocking: all)
    }

    /// Blocks `signals` besides those already blocked.
    package init(blocking signals: sigset_t) {
        var signals = signals
        var previous = sigset_t()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, &previous)
        self.previous = previous
    }

    /// Sets the mask back to what it was.
    package func restore() {
        var mask = previous
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
