import Foundation
import Glibc
import TestSupport
import Testing

@testable import denoiser

@Suite(.serialized) struct `Notices to systemd` {
    /// A manager's socket at `name`, as NOTIFY_SOCKET has it.
    private final class Manager {
        let descriptor: Int32

        init?(_ name: String) {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(name.utf8).map { $0 == UInt8(ascii: "@") ? 0 : $0 }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) {
                unsafe $0.copyBytes(from: bytes)
            }
            let length = socklen_t(2 + bytes.count + (name.hasPrefix("@") ? 0 : 1))
            let bound = unsafe withUnsafeBytes(of: &address) { bytes in
                unsafe bind(
                    descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
            }
            var limit = timeval(tv_sec: 5, tv_usec: 0)
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit,
                socklen_t(MemoryLayout<timeval>.size))
            if bound != 0 { return nil }
        }

        deinit { close(descriptor) }

        /// The next message; nil where none comes.
        func next() -> String? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }

        /// The next message without waiting; nil where none is there.
        var pending: String? {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    @Test(arguments: [false, true])
    func `are sent to a path or a name in the abstract space, in systemd's words`(
        isAbstract: Bool
    ) throws {
        try withFolder { folder in
            let name = isAbstract ? "@denoiser\(folder)" : folder + "/n"
            let manager = try #require(Manager(name))
            let notifier = SystemdNotifier(socket: name, watchdog: nil)
            notifier.ready("serving")
            #expect(manager.next() == "READY=1\nSTATUS=serving\n")
            notifier.alive()
            #expect(manager.next() == "WATCHDOG=1\n")
            notifier.stopping("signal 15")
            #expect(manager.next() == "STOPPING=1\nSTATUS=signal 15\n")
        }
    }

    @Test func `of a reload carry the time, by which systemd tells it from an older one`() throws {
        try withFolder { folder in
            let manager = try #require(Manager(folder + "/n"))
            func microseconds() -> Int {
                var now = timespec()
                unsafe clock_gettime(CLOCK_MONOTONIC, &now)
                return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
            }
            let before = microseconds()
            SystemdNotifier(socket: folder + "/n", watchdog: nil).reloading()
            let after = microseconds()
            let lines = try #require(manager.next()).split(separator: "\n")
            #expect(lines[0] == "RELOADING=1" && lines[2] == "STATUS=reloading")
            let told = try #require(Int(lines[1].dropFirst("MONOTONIC_USEC=".count)))
            #expect(before...after ~= told)
        }
    }

    @Test func `go nowhere where nobody asked, or the name is none`() {
        for socket in [nil, "", "/", "relative", "/" + String(repeating: "x", count: 200)] {
            // No more than no fault can be seen of it.
            SystemdNotifier(socket: socket, watchdog: nil).ready("serving")
        }
    }

    @Test func `of life stop while a request hangs or the loop does, and no longer`() throws {
        try withFolder { folder in
            let manager = try #require(Manager(folder + "/n"))
            let (activity, lines) = (RequestActivity(), Lines())
            let signs = LifeSigns(
                SystemdNotifier(socket: folder + "/n", watchdog: .seconds(4)), activity,
                report: lines.add)
            #expect(signs.interval == .seconds(1))
            signs.look(1)
            #expect(manager.pending == "WATCHDOG=1\n")
            signs.look(1)
            #expect(manager.pending == nil, "the loop has not turned")
            // Another that ends in time changes nothing.
            let stuck = activity.begin(endingBy: .now - .seconds(1))
            activity.end(activity.begin(endingBy: .now + .seconds(60)))
            for turns in 2...4 { signs.look(turns) }
            #expect(manager.pending == nil, "a request hangs")
            #expect(lines.all.count == 1 && lines.all[0].contains("far longer than its deadline"))
            activity.end(stuck)
            signs.look(5)
            #expect(manager.pending == "WATCHDOG=1\n")
            #expect(lines.all.count == 2)
        }
    }

    @Test func `of life and of the end never wait for a manager that hangs`() throws {
        try withFolder { folder in
            let manager = try #require(Manager(folder + "/n"))
            let notifier = SystemdNotifier(socket: folder + "/n", watchdog: nil)
            let began = ContinuousClock.now
            // More than its socket holds.
            for _ in 0..<2000 where began.duration(to: .now) < .seconds(2) { notifier.alive() }
            notifier.stopping("signal 15")
            #expect(began.duration(to: .now) < .seconds(2))
            var count = 0
            while manager.pending != nil { count += 1 }
            #expect(1..<2000 ~= count)
        }
    }

    @Test func `follow from the environment, which no child inherits`() {
        for (usec, pid, expected) in [
            ("400000", nil, .milliseconds(400)), ("400000", "\(getpid())", .milliseconds(400)),
            ("400000", "1", nil), ("0", nil, nil), ("x", nil, nil),
        ] as [(String, String?, Duration?)] {
            unsafe setenv("NOTIFY_SOCKET", "/nowhere", 1)
            unsafe setenv("WATCHDOG_USEC", usec, 1)
            if let pid { unsafe setenv("WATCHDOG_PID", pid, 1) }
            #expect(SystemdNotifier.take().watchdog == expected, "\(usec) \(pid ?? "-")")
            for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
                #expect(unsafe getenv(name) == nil)
            }
        }
    }
}
