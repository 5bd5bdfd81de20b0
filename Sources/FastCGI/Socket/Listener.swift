import CFastCGI
import Glibc

/// A listening socket, ours for as long as this lives.
///
/// A socket file we made is removed at the end if it is still the one we made.
public struct Listener: ~Copyable, Sendable {
    /// Where a socket came from.
    public enum Origin: Sendable, Equatable {
        /// A path given by option.
        case path(String)
        /// An address given by option.
        case address(String)
        /// systemd's socket activation.
        case systemd
        /// The starting process gave it as this descriptor.
        case descriptor(Int32)
    }

    /// Where this socket came from, to be told at start.
    public let origin: Origin

    let descriptor: Descriptor
    /// Device and inode of the file we made, and its path.
    private let file: SocketFile?

    /// Connections the kernel completes for us while we are busy; with less, a burst fails in the
    /// web server at once.
    static let backlog: Int32 = 511

    init(_ descriptor: consuming Descriptor, origin: Origin, file: SocketFile? = nil) {
        descriptor.setNonBlocking()
        isUnix = socketOption(SO_DOMAIN, of: descriptor.number) == AF_UNIX
        self.descriptor = descriptor
        self.origin = origin
        self.file = file
    }

    deinit { file?.remove() }

    /// Whether we made the socket; others are shared with whoever made them.
    var isOwn: Bool {
        switch origin {
        case .path, .address: true
        case .systemd, .descriptor: false
        }
    }

    /// Whether peers come over a Unix socket, which tells their user.
    let isUnix: Bool

    /// The user who owns the socket's file; nil where there is none to be seen.
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

    /// Lets no more connections in: removes our file, so that new peers find a successor or an
    /// error at once.
    func withdraw() { file?.remove() }

    /// Ends the queue of a socket we made; peers that connect fail at once rather than wait.
    func shut() { if isOwn { shutdown(descriptor.number, Int32(SHUT_RDWR)) } }

    /// The next connection; nil where none waits.
    ///
    /// - Throws: `outOfDescriptors` where the process or the machine has no room for one.
    func accept() throws(FastCGIError) -> Descriptor? {
        // A peer that left between its connect and our accept shows as an error of its own.
        for _ in 0..<16 {
            let type = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let peer = accept4(descriptor.number, nil, nil, type)
            if peer >= 0 {
                // The end of an answer must not wait for the peer's acknowledgement of its start.
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

/// An integer socket option of level `SOL_SOCKET`; nil where `descriptor` is no socket.
func socketOption(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 else { return nil }
    return value
}
