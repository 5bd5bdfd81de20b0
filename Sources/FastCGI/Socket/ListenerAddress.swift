import Glibc

extension Listener {
    /// Listens on TCP at `HOST:PORT`.
    ///
    /// The host is numeric (`127.0.0.1:9000`, `[::1]:9000`) or `localhost`, which is 127.0.0.1.
    /// With port 0 the kernel chooses one.
    ///
    /// TCP does not tell the user of a peer: everyone who reaches the port may send requests.
    public init(address text: String) throws(FastCGIError) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { throw .invalidAddress(text) }
        var host = String(text[..<colon])
        if host == "localhost" { host = "127.0.0.1" }
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else {
                throw .invalidAddress(text)
            }
            self = try unsafe withUnsafeBytes(of: &address) { (bytes) throws(FastCGIError) in
                try unsafe Listener(domain: AF_INET6, address: bytes, text: text)
            }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
                throw .invalidAddress(text)
            }
            self = try unsafe withUnsafeBytes(of: &address) { (bytes) throws(FastCGIError) in
                try unsafe Listener(domain: AF_INET, address: bytes, text: text)
            }
        }
    }

    /// The port of a TCP socket; nil on a Unix socket.
    public var port: Int? {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe getsockname(
                descriptor.number, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                &length)
        }
        // The port is at the same offset for both families.
        let isTCP = [AF_INET, AF_INET6].contains(Int32(address.sin6_family))
        return result == 0 && isTCP ? Int(UInt16(bigEndian: address.sin6_port)) : nil
    }

    private init(
        domain: Int32, address: UnsafeRawBufferPointer, text: String
    ) throws(FastCGIError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try Descriptor.opened(
            socket(domain, type, 0), by: "socket", for: text)
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Without this the port stays in use for a minute after a restart.
        _ = unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if domain == AF_INET6 {
            _ = unsafe setsockopt(
                descriptor.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, size)
        }
        let start = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
        guard unsafe bind(descriptor.number, start, socklen_t(address.count)) == 0 else {
            if errno == EADDRINUSE { throw .alreadyServed(text) }
            throw .system(call: "bind", subject: text, code: errno)
        }
        guard listen(descriptor.number, Self.backlog) == 0 else {
            throw .system(call: "listen", subject: text, code: errno)
        }
        self.init(descriptor, origin: .address(text))
    }
}
