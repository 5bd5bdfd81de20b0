import CFastCGI
import Glibc

/// A listening socket, closed at the end of this value's life.
///
/// If this process made the socket file and it is still the same file, it is removed then.
public struct Listener: ~Copyable, Sendable {
    /// The source of a socket.
    public enum Origin: Sendable, Equatable {
        /// An option named a path.
        case path(String)
        /// An option named an address.
        case address(String)
        /// systemd's socket activation.
        case systemd
        /// The starting process left it open as this descriptor.
        case descriptor(Int32)
    }

    /// The source of this socket, for a line at start.
    public let origin: Origin

    let descriptor: Descriptor
    /// The file that this process made: its path, device and inode.
    private let file: SocketFile?

    /// The kernel's queue of connections that wait for `accept`.
    ///
    /// With a shorter one, a burst of connections fails in the web server at once.
    static let backlog: Int32 = 511

    init(_ descriptor: consuming Descriptor, origin: Origin, file: SocketFile? = nil) {
        descriptor.setNonBlocking()
        isUnix = socketOption(SO_DOMAIN, of: descriptor.number) == AF_UNIX
        self.descriptor = descriptor
        self.origin = origin
        self.file = file
    }

    deinit { file?.remove() }

    /// Whether this process made the socket; other processes may share one that it did not make.
    var isOwn: Bool {
        switch origin {
        case .path, .address: true
        case .systemd, .descriptor: false
        }
    }

    /// Whether it is a Unix socket, which tells the user of each peer.
    let isUnix: Bool

    /// The owner of the socket's file; nil if there is no file or it cannot be read.
    var fileOwner: UInt32? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe getsockname(
                descriptor.number, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                &length)
        }
        guard result == 0, Int32(address.sun_family) == AF_UNIX else { return nil }
        var status = stat()
        let found = unsafe withUnsafeBytes(of: &address.sun_path) { path in
            unsafe path.baseAddress.map {
                unsafe lstat($0.assumingMemoryBound(to: CChar.self), &status)
            }
        }
        return found == 0 ? status.st_uid : nil
    }

    /// Removes the socket's file, so that new peers reach a successor or fail at once.
    func withdraw() { file?.remove() }

    /// Shuts a socket that this process made; peers that connect fail at once and do not wait.
    func shut() { if isOwn { shutdown(descriptor.number, Int32(SHUT_RDWR)) } }

    /// The next connection; nil if none waits.
    ///
    /// - Throws: `outOfDescriptors` if the process or the machine has no room for another.
    func accept() throws(FastCGIError) -> Descriptor? {
        // If a peer leaves between its connect and our accept, the kernel reports an error.
        for _ in 0..<16 {
            let type = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let peer = accept4(descriptor.number, nil, nil, type)
            if peer >= 0 {
                // Without this the end of an answer waits until the peer acknowledges its
                // beginning.
                var one: Int32 = 1
                let size = socklen_t(MemoryLayout<Int32>.size)
                if !isUnix {
                    _ = unsafe setsockopt(peer, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
                }
                return Descriptor(peer)
            }
            switch errno {
            case EAGAIN: return nil
            case EMFILE, ENFILE, ENOMEM, ENOBUFS: throw .outOfDescriptors(code: errno)
            case EBADF, EINVAL, ENOTSOCK, EOPNOTSUPP, EFAULT:
                throw .system(call: "accept4", subject: "the listening socket", code: errno)
            default: continue
            }
        }
        return nil
    }
}

/// An integer socket option of level `SOL_SOCKET`; nil if `descriptor` is no socket.
func socketOption(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 else { return nil }
    return value
}
