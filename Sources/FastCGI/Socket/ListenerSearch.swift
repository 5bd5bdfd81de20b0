import Glibc
import System

extension Listener {
    /// A user's choice of a socket.
    public enum Choice: Sendable, Equatable {
        /// A Unix socket at a path, with its file's mode and group.
        case path(String, mode: UInt32 = 0o660, group: String? = nil)
        /// A TCP socket at `HOST:PORT` with a numeric host.
        case address(String)
    }

    /// Finds the socket to serve.
    ///
    /// The user's choice, else systemd's socket, else descriptor 0 if that is a listening socket.
    /// `origin` says which one it is. systemd's variables are removed, so that no child process
    /// uses them.
    public static func find(_ choice: Choice?) throws(FastCGIError) -> Listener {
        let environment = SystemdEnvironment.take()
        return try find(choice, systemd: environment, standardInput: 0)
    }

    static func find(
        _ choice: Choice?, systemd: SystemdEnvironment, standardInput: Int32
    ) throws(FastCGIError) -> Listener {
        switch choice {
        case .path(let path, let mode, let group):
            return try Listener(path: path, mode: mode, group: group)
        case .address(let text): return try Listener(address: text)
        case nil: break
        }
        if let descriptor = try systemd.descriptor(for: getpid()) {
            return try Listener(inherited: descriptor, origin: .systemd)
        }
        if socketOption(SO_ACCEPTCONN, of: standardInput) == 1 {
            // Moved to another descriptor, so that no read of standard input reads the socket.
            let moved = try Descriptor.opened(
                fcntl(standardInput, F_DUPFD_CLOEXEC, 3), by: "fcntl", for: "standard input")
            let nothing = unsafe open("/dev/null", O_RDONLY)
            if nothing >= 0 {
                dup2(nothing, standardInput)
                close(nothing)
            }
            return Listener(moved, origin: .descriptor(standardInput))
        }
        throw .noSocket
    }

    /// A listening socket that the starting process left open.
    init(inherited number: Int32, origin: Origin) throws(FastCGIError) {
        guard socketOption(SO_ACCEPTCONN, of: number) == 1 else {
            throw .notListening(descriptor: number)
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        self.init(Descriptor(number), origin: origin)
    }
}

/// The variables by which systemd hands sockets over.
struct SystemdEnvironment {
    var processID: String?
    var count: String?

    /// The first descriptor handed over, by convention.
    var firstDescriptor: Int32 = 3

    /// Reads the variables and removes them from the environment.
    static func take() -> SystemdEnvironment {
        let taken = SystemdEnvironment(
            processID: environment("LISTEN_PID"), count: environment("LISTEN_FDS"))
        for name in ["LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
            unsafe unsetenv(name)
        }
        return taken
    }

    /// The socket for `process`; nil if there is none.
    func descriptor(for process: pid_t) throws(FastCGIError) -> Int32? {
        guard let count = count.flatMap({ Int($0) }), count > 0,
            processID.flatMap({ pid_t($0) }) == process
        else { return nil }
        guard count == 1 else { throw .severalSockets(count) }
        return firstDescriptor
    }
}
