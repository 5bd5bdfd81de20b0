import Foundation
import Testing
import TestSupport

@testable import FastCGI

@Suite final class ListenerTests {
    private let folder: String

    init() throws { folder = try temporaryFolder() }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func attributes(_ path: String) throws -> [FileAttributeKey: Any] {
        try FileManager.default.attributesOfItem(atPath: path)
    }

    /// The error of a call that makes a listener.
    private func fault(_ make: () throws -> Listener) -> FastCGIError? {
        do {
            _ = try make()
            return nil
        } catch {
            return error as? FastCGIError
        }
    }

    @Test(arguments: [0o660, 0o600, 0o666, 0o640])
    func `A socket's file has the mode asked for, whatever the umask`(mode: UInt32) throws {
        let path = folder + "/s"
        let listener = try Listener(path: path, mode: mode, group: "0")
        let origin = listener.origin
        #expect(origin == .path(path))
        #expect(try attributes(path)[.posixPermissions] as? Int == Int(mode))
        #expect(Peer(path: path) != nil)
    }

    @Test func `A group is found by name or number, and an unknown one is named`() throws {
        let listener = try Listener(path: folder + "/s", group: "daemon")
        #expect(try attributes(folder + "/s")[.groupOwnerAccountID] as? Int == 1)
        _ = listener.origin
        #expect(
            fault { try Listener(path: folder + "/t", group: "no such") }
                == .unknownGroup("no such"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/t"))
    }

    @Test func `A socket someone serves is left alone`() throws {
        let service = try Service()
        #expect(fault { try Listener(path: service.path) } == .alreadyServed(service.path))
        #expect(service.answers())
        service.stop()
    }

    @Test func `A socket nobody serves is replaced`() throws {
        let path = folder + "/s"
        let stale = Peer()
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: path.utf8)
        }
        let bound = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe bind(
                stale.descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count))
        }
        #expect(bound == 0)
        stale.leave()
        let listener = try Listener(path: path)
        #expect(Peer(path: path) != nil)
        _ = listener.origin
    }

    @Test func `A file that is no socket is left alone`() throws {
        let path = folder + "/s"
        try "precious".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(fault { try Listener(path: path) } == .notASocket(path))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test func `Paths that cannot be are refused with the limit`() throws {
        let long = "/" + String(repeating: "x", count: 107)
        #expect(fault { try Listener(path: long) } == .pathTooLong(long, limit: 107))
        #expect(fault { try Listener(path: "") } == .pathTooLong("", limit: 107))
        let missing = "/nowhere/at/all"
        #expect(
            fault { try Listener(path: missing) }
                == .system(call: "bind", subject: missing, code: ENOENT))
    }

    @Test func `The file is removed at the end only while it is ours`() throws {
        let path = folder + "/s"
        do {
            let listener = try Listener(path: path)
            _ = listener.origin
        }
        #expect(!FileManager.default.fileExists(atPath: path))
        do {
            let listener = try Listener(path: path)
            _ = listener.origin
            unsafe unlink(path)
            try "another".write(toFile: path, atomically: false, encoding: .utf8)
        }
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test(arguments: [
        "9000", "host:1", ":1", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:70000", "::1:5", "[::1]",
    ])
    func `An address must be a numeric host and a port`(text: String) {
        #expect(fault { try Listener(address: text) } == .invalidAddress(text))
    }

    /// Addresses of this machine; the last one only where it has IPv6.
    private static var loopback: [String] {
        let interfaces = try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)
        let hasVersion6 = interfaces?.contains("00000000000000000000000000000001") ?? false
        return ["127.0.0.1:0", "localhost:0"] + (hasVersion6 ? ["[::1]:0"] : [])
    }

    @Test(arguments: loopback)
    func `An address is listened on`(text: String) throws {
        let listener = try Listener(address: text)
        let (port, isUnix) = (listener.port ?? 0, listener.isUnix)
        #expect(port > 0)
        #expect(!isUnix)
        let taken = "127.0.0.1:\(port)"
        if text != "[::1]:0" {
            #expect(fault { try Listener(address: taken) } == .alreadyServed(taken))
        }
    }

    /// The descriptor of a listening socket at `path`, to be owned by the caller.
    private func handedOver(_ path: String) throws -> Int32 {
        let listener = try Listener(path: path)
        return fcntl(listener.descriptor.number, F_DUPFD, 20)
    }

    @Test func `The socket is found in order: option, systemd, descriptor 0`() throws {
        let own = "\(getpid())"
        let zero = try handedOver(folder + "/zero")
        let none = SystemdEnvironment()
        func systemd() throws -> SystemdEnvironment {
            let number = try handedOver(folder + "/three")
            return SystemdEnvironment(processID: own, count: "1", firstDescriptor: number)
        }

        func origin(_ choice: Listener.Choice?, _ systemd: SystemdEnvironment) throws
            -> Listener.Origin
        {
            let listener = try Listener.find(choice, systemd: systemd, standardInput: zero)
            return listener.origin
        }

        #expect(try origin(.path(folder + "/s"), systemd()) == .path(folder + "/s"))
        #expect(try origin(nil, systemd()) == .systemd)
        #expect(try origin(nil, none) == .descriptor(zero))
        #expect(socketOption(SO_ACCEPTCONN, of: zero) == nil, "nothing left to read by mistake")
        #expect(
            fault { try Listener.find(nil, systemd: none, standardInput: zero) } == .noSocket)
        close(zero)
    }

    @Test func `What systemd says counts only if it says it to us`() throws {
        let own = "\(getpid())"
        func found(_ process: String?, _ count: String?) throws -> Int32? {
            try SystemdEnvironment(processID: process, count: count).descriptor(for: getpid())
        }
        #expect(try found(own, "1") == 3)
        #expect(try found("1", "1") == nil)
        #expect(try found(nil, "1") == nil)
        #expect(try found(own, nil) == nil)
        #expect(try found(own, "0") == nil)
        #expect(try found(own, "x") == nil)
        #expect(throws: FastCGIError.severalSockets(2)) { try found(own, "2") }
        let plain = dup(1)
        let broken = SystemdEnvironment(processID: own, count: "1", firstDescriptor: plain)
        #expect(
            fault { try Listener.find(nil, systemd: broken, standardInput: 1) }
                == .notListening(descriptor: plain))
        close(plain)
    }

    @Test func `Every fault is one line`() {
        let faults: [FastCGIError] = [
            .pathTooLong("p", limit: 1), .alreadyServed("p"), .notASocket("p"), .unknownGroup("g"),
            .invalidAddress("a"), .noSocket, .notListening(descriptor: 3), .severalSockets(2),
            .unfitLibrary("w"), .system(call: "c", subject: "s", code: ENOENT),
            .refusedPeer(user: 1, group: 2), .brokenProtocol("w"), .connectionLost, .timedOut("w"),
            .wrongLength(declared: 1, received: 2), .outOfDescriptors(code: EMFILE),
        ]
        for fault in faults {
            #expect(!fault.description.contains("\n") && fault.description.count > 20)
        }
    }

    @Test func `Peers of other users are refused and reported`() throws {
        var strangers = PeerPolicy()
        strangers.inherent = []
        // The socket's own file would speak for its owner, so the check itself is asked.
        let listener = try Listener(path: folder + "/s")
        func check(_ policy: PeerPolicy) throws {
            let peer = try #require(Peer(path: folder + "/s"))
            _ = peer
            guard let accepted = try listener.accept() else { return }
            try policy.check(accepted)
        }
        #expect(throws: FastCGIError.refusedPeer(user: getuid(), group: getgid())) {
            try check(strangers)
        }
        try check(PeerPolicy())
        strangers.users = [getuid()]
        try check(strangers)
        strangers.users = []
        strangers.groups = [getgid()]
        try check(strangers)
    }
}
