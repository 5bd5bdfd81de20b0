import CFastCGI
import Glibc

/// A thread that receives no signals: those are for the one that waits for them.
@safe
struct ServiceThread: Sendable {
    private let thread: pthread_t

    /// The work, on its way to the thread.
    private final class Work: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread with a stack of `stackBytes`.
    init(stackBytes: Int, _ run: @escaping @Sendable () -> Void) throws(FastCGIError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, max(stackBytes, 65_536))
        // The new thread inherits the mask; set inside it, a signal could come before.
        let mask = SignalMask.blockAll()
        defer { mask.restore() }
        let work = unsafe Unmanaged.passRetained(Work(run))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, &attributes,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            }, work.toOpaque())
        guard result == 0 else {
            unsafe work.release()
            throw .system(call: "pthread_create", subject: "a service thread", code: result)
        }
        self.thread = thread
    }

    /// Waits for the thread's end.
    func join() { pthread_join(thread, nil) }

    /// Lets the thread end by itself some time.
    func detach() { pthread_detach(thread) }

    /// Sends a signal to this thread alone.
    func signal(_ number: Int32) { pthread_kill(thread, number) }
}

/// The signals a thread had blocked before.
@safe
struct SignalMask {
    private let previous: sigset_t

    /// Blocks every signal in the calling thread but those that tell of a fault in it.
    ///
    /// Blocked, those would end the process without a word.
    static func blockAll() -> SignalMask {
        var all = sigset_t()
        unsafe sigfillset(&all)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] {
            unsafe sigdelset(&all, fault)
        }
        return SignalMask(blocking: all)
    }

    /// Blocks `signals` besides those already blocked.
    init(blocking signals: sigset_t) {
        var signals = signals
        var previous = sigset_t()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, &previous)
        self.previous = previous
    }

    /// Sets the mask back to what it was.
    func restore() {
        var mask = previous
        unsafe pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
}
