internal import CSystem
internal import Glibc

/// A thread of the system with all signals blocked; one thread of the service waits for them.
@safe
package struct SystemThread: Sendable {
    let handle: pthread_t

    /// Starts a thread that runs `body` to its end; `join` or `detach` it.
    ///
    /// - Parameters:
    ///   - stackBytes: address space; only pages that are touched take memory.
    ///   - niceness: added to the process's own.
    ///   - body: what the thread does.
    /// - Throws: if the system gives no thread: memory is short, or the user or the control group
    ///   has as many as it may.
    package init(
        stackBytes: Int = 1 << 20, niceness: Int32 = 0, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadRefusal) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, max(stackBytes, 65_536))
        // The new thread inherits the mask. If it set its own, a signal could come first.
        let mask = SignalMask.blockAll()
        defer { mask.restore() }
        let start = unsafe Unmanaged.passRetained(ThreadStart(niceness: niceness, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw ThreadRefusal(code: code)
        }
        handle = thread
    }

    /// Waits for the thread's end.
    package func join() { pthread_join(handle, nil) }

    /// Lets the thread end without being joined.
    package func detach() { pthread_detach(handle) }
}

/// The system gives no thread.
package struct ThreadRefusal: Error, CustomStringConvertible {
    /// The errno of `pthread_create`.
    package let code: Int32

    package var description: String {
        "the system gives no thread: \(systemErrorText(code))"
    }
}

private final class ThreadStart: Sendable {
    private let niceness: Int32
    private let body: @Sendable () -> Void

    init(niceness: Int32, body: @escaping @Sendable () -> Void) {
        self.niceness = niceness
        self.body = body
    }

    func run() {
        if niceness != 0 {
            // On Linux niceness belongs to a thread; 0 means the calling one.
            let which = __priority_which_t(PRIO_PROCESS.rawValue)
            _ = setpriority(which, 0, getpriority(which, 0) + niceness)
        }
        body()
    }
}
