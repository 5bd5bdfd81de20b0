internal import Glibc

/// A thread of our own: joined by its owner, deaf to signals, nicer than others where asked.
final class WorkerThread: Sendable {
    private let handle: pthread_t

    /// Starts a thread that runs `body` to its end.
    ///
    /// - Parameters:
    ///   - niceness: added to the process's own; 0 leaves it.
    ///   - body: what the thread does.
    init(niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void) {
        let start = ThreadStart(niceness: niceness, body: body)
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, 1 << 20)
        var all = sigset_t()
        var previous = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                if start.niceness != 0 {
                    // On Linux niceness belongs to a thread; 0 means the calling one.
                    let which = __priority_which_t(PRIO_PROCESS.rawValue)
                    _ = setpriority(which, 0, getpriority(which, 0) + start.niceness)
                }
                start.body()
                return nil
            }, Unmanaged.passRetained(start).toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &previous, nil)
        unsafe pthread_attr_destroy(&attributes)
        precondition(code == 0, "pthread_create: error \(code)")
        handle = thread
    }

    /// Waits for the thread's end.
    func join() { _ = pthread_join(handle, nil) }
}

private final class ThreadStart {
    let niceness: Int32
    let body: @Sendable () -> Void

    init(niceness: Int32, body: @escaping @Sendable () -> Void) {
        self.niceness = niceness
        self.body = body
    }
}
