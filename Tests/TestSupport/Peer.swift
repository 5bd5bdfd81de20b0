internal import Glibc

/// A web server's side of a connection, written without the code under test.
@safe
public final class Peer {
    public struct Record: Equatable {
        public var type: UInt8
        public var id: UInt16
        public var content: [UInt8]

        public init(type: UInt8, id: UInt16, content: [UInt8]) {
            self.type = type
            self.id = id
            self.content = content
        }
    }

    /// What came for one request.
    public struct Reply {
        public internal(set) var status = 0
        public internal(set) var headers: [String: String] = [:]
        public internal(set) var body: [UInt8] = []
        public internal(set) var protocolStatus: UInt8 = 0

        /// The body as text.
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The socket; -1 once it is closed.
    public private(set) var descriptor: Int32
    private var received: [UInt8] = []
    /// Whether the other side ended the connection, and did not break it off.
    public private(set) var isEnded = false

    /// Connects to the Unix socket at `path`.
    public init?(path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        if !connect(to: path) { return nil }
    }

    /// A socket that is not connected yet.
    public init() { descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }

    /// Connects to a TCP port of this machine.
    public init?(port: Int) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe Glibc.connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), 16)
        }
        if result != 0 { return nil }
        limitWaiting()
    }

    deinit { leave() }

    public func connect(to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: path.utf8)
        }
        let result = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe Glibc.connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count))
        }
        limitWaiting()
        return result == 0
    }

    /// A test that would wait for ever ends instead.
    private func limitWaiting() {
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    public func leave() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Sends all of `bytes`; false where the other side is gone.
    @discardableResult
    public func send(_ bytes: some Sequence<UInt8>) -> Bool {
        let bytes = Array(bytes)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes { part in
                unsafe Glibc.send(descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Whether something that was sent still lies in the other side's socket.
    public var isUnread: Bool {
        var count: Int32 = 0
        return unsafe ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 && count > 0
    }

    /// Bytes that are there or come, at least `count`; fewer at the end.
    private func take(_ count: Int) -> [UInt8]? {
        while received.count < count {
            var part = [UInt8](repeating: 0, count: 65_536)
            let got = unsafe part.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
            }
            if got == 0 { isEnded = true }
            if got <= 0 { return nil }
            received += part[..<got]
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    public func nextRecord() -> Record? {
        guard let head = take(8) else { return nil }
        let length = Int(head[4]) << 8 | Int(head[5])
        guard head[0] == 1, let content = take(length), take(Int(head[6])) != nil else {
            return nil
        }
        return Record(type: head[1], id: UInt16(head[2]) << 8 | UInt16(head[3]), content: content)
    }

    /// The answer to request `id`; nil where the connection ends before it is complete.
    public func reply(to id: UInt16 = 1) -> Reply? {
        var output: [UInt8] = []
        while let record = nextRecord() {
            guard record.id == id else { continue }
            if record.type == 6 { output += record.content }
            guard record.type == 3 else { continue }
            var reply = Self.parse(output)
            reply.protocolStatus = record.content[4]
            return reply
        }
        return nil
    }

    private static func parse(_ output: [UInt8]) -> Reply {
        var reply = Reply()
        let lineEnds = zip(output.indices, output.indices.dropFirst(3)).first { start, end in
            Array(output[start...end]) == [13, 10, 13, 10]
        }
        guard let (end, bodyStart) = lineEnds else { return reply }
        let head = String(decoding: output[..<end], as: UTF8.self)
        // In Swift, CR LF is one character.
        for line in head.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1].drop(while: { $0 == " " }))
            if parts[0] == "Status" { reply.status = Int(value.prefix(3)) ?? 0 }
            reply.headers[parts[0].lowercased()] = value
        }
        reply.body = Array(output[(bodyStart + 1)...])
        return reply
    }

    /// Whether the other side ends the connection, after any records still to come.
    public func sawEnd() -> Bool {
        while nextRecord() != nil {}
        var byte: UInt8 = 0
        let got = unsafe recv(descriptor, &byte, 1, 0)
        return got == 0 || (got < 0 && errno == ECONNRESET)
    }
}
