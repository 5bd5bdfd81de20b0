import Glibc
import System

extension Listener {
    /// What a user asked for.
    public enum Choice: Sendable, Equatable {
        /// A Unix socket at a path, with its file's mode and group.
        case path(String, mode: UInt32 = 0o660, group: String? = nil)
        /// A TCP socket at `HOST:PORT`, the host in numbers.
        case address(String)
    }

    /// Finds the socket to serve.
    ///
    /// What the user chose, else systemd's, else descriptor 0 if it is a listening socket;
    /// `origin` says which it was. systemd's variables are cleared, so that no child takes them for its own.
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
            // Moved away: whatever reads standard input must not read the socket.
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

    /// Takes over a listening socket that the starting process left open.
    init(inherited number: Int32, origin: Origin) throws(FastCGIError) {
        guard socketOption(SO_ACCEPTCONN, of: number) == 1 else {
            throw .notListening(descriptor: number)
        }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        self.init(Descriptor(number), origin: origin)
    }
}

/// What systemd says of the sockets it hands over.
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

    /// The one socket meant for `process`; nil where none is.
    func descriptor(for process: pid_t) throws(FastCGIError) -> Int32? {
        guard let count = count.flatMap({ Int($0) }), count > 0,
            processID.flatMap({ pid_t($0) }) == process
        else { return nil }
        guard count == 1 else { throw .severalSockets(count) }
        return firstDescriptor
    }
}
