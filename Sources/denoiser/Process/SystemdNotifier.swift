import Glibc
import System

/// Tells systemd, or another manager that sets `NOTIFY_SOCKET`, how the service is (sd_notify(3)).
///
/// Without the variable nothing is sent. A message that cannot be delivered is dropped.
struct SystemdNotifier: Sendable {
    /// How often systemd expects a sign of life; nil if it does not watch this process.
    let watchdog: Duration?

    private let address: [UInt8]?

    /// Reads the variables and removes them from the environment, so that no child process uses
    /// them.
    static func take() -> SystemdNotifier {
        let watched = environment("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
        let interval = environment("WATCHDOG_USEC").flatMap { Int($0) }
        let socket = environment("NOTIFY_SOCKET")
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsafe unsetenv(name) }
        return SystemdNotifier(
            socket: socket,
            watchdog: interval.flatMap { watched && $0 > 0 ? .microseconds($0) : nil })
    }

    init(socket: String?, watchdog: Duration?) {
        // A path, or a name in the abstract space, whose leading NUL is written "@".
        address = socket.flatMap { text in
            let bytes = Array(text.utf8)
            let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
            guard bytes.count > 1, bytes.count < room else { return nil }
            switch bytes[0] {
            case UInt8(ascii: "/"): return bytes + [0]
            case UInt8(ascii: "@"): return [0] + bytes.dropFirst()
            default: return nil
            }
        }
        self.watchdog = watchdog
    }

    /// The service answers; `status` is shown by `systemctl status`.
    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)\n") }

    /// The configuration is read again; `ready` follows.
    func reloading() {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)\nSTATUS=reloading\n")
    }

    /// The service ends; never waits.
    func stopping(_ status: String) { send("STOPPING=1\nSTATUS=\(status)\n", waits: false) }

    /// The sign of life; never waits.
    func alive() { send("WATCHDOG=1\n", waits: false) }

    private func send(_ text: String, waits: Bool = true) {
        guard let name = address else { return }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // READY must arrive, so it waits for room, but not for a manager that hangs.
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &target.sun_path) { unsafe $0.copyBytes(from: name) }
        // The length ends an abstract name.
        let place = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        let length = socklen_t(place + name.count)
        let bytes = Array(text.utf8)
        let flags = Int32(MSG_NOSIGNAL) | (waits ? 0 : Int32(MSG_DONTWAIT))
        _ = unsafe withUnsafeBytes(of: &target) { target in
            unsafe sendto(
                descriptor, bytes, bytes.count, flags,
                target.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}
