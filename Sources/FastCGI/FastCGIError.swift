import Glibc
import System

/// A reason why the service cannot start, or a fault of a peer.
public enum FastCGIError: Error, Equatable, Sendable {
    // At start.

    /// A Unix socket's path does not fit the kernel's address structure; the limit is in bytes.
    case pathTooLong(String, limit: Int)
    /// Another process answers on this socket.
    case alreadyServed(String)
    /// The path names something that is not a socket, so it is not ours to replace.
    case notASocket(String)
    /// No such group in the group file.
    case unknownGroup(String)
    /// Not `HOST:PORT` with a numeric host.
    case invalidAddress(String)
    /// Neither an option nor the starting process gave a socket.
    case noSocket
    /// A descriptor that should be a listening socket is something else.
    case notListening(descriptor: Int32)
    /// The starting process handed over this many sockets; one is served.
    case severalSockets(Int)
    /// The installed libfcgi does not behave like the one that this code was written for.
    case unfitLibrary(String)
    /// A system call failed.
    case system(call: String, subject: String, code: Int32)

    // While serving.

    /// A process of this user and group connected without the right to.
    case refusedPeer(user: UInt32, group: UInt32)
    /// A peer broke the protocol; the text says how.
    case brokenProtocol(String)
    /// The peer gave its request up, left, or its connection failed.
    case connectionLost
    /// The peer took longer than allowed for this part of a request.
    case timedOut(String)
    /// The body's length is not the declared one; `received` is the number of bytes read so far.
    case wrongLength(declared: Int, received: Int)
    /// No descriptor or memory for another connection; accepting pauses.
    case outOfDescriptors(code: Int32)
}

extension FastCGIError: CustomStringConvertible {
    /// One line: what was wrong and what would be right.
    public var description: String {
        switch self {
        case .pathTooLong(let path, let limit):
            "socket path \(path) has \(path.utf8.count) bytes; at most \(limit) are possible, "
                + "choose a shorter one"
        case .alreadyServed(let path):
            "socket \(path) is already served by another process; stop it or choose another path"
        case .notASocket(let path):
            "\(path) exists and is not a socket; move it away or choose another path"
        case .unknownGroup(let name):
            "group \(name) is not in /etc/group; give an existing name or a number"
        case .invalidAddress(let text):
            "address \(text) is not HOST:PORT; write 127.0.0.1:9000 or [::1]:9000"
        case .noSocket:
            "no socket to listen on; give a path or an address, or start with a listening socket "
                + "as descriptor 0 or from systemd"
        case .notListening(let descriptor):
            "descriptor \(descriptor) is not a listening socket"
        case .severalSockets(let count):
            "the starting process handed over \(count) sockets; hand over one"
        case .unfitLibrary(let what):
            "libfcgi failed its self-test (\(what)); install version 2.4.2 or newer"
        case .system(let call, let subject, let code):
            "\(call) of \(subject) failed: \(systemErrorText(code))"
        case .refusedPeer(let user, let group):
            "refused a connection of user \(user), group \(group); "
                + "name the user or group to allow it"
        case .brokenProtocol(let what):
            "a peer broke the FastCGI protocol: \(what)"
        case .connectionLost:
            "the peer left before its request was complete"
        case .timedOut(let part):
            "the peer took too long: \(part)"
        case .wrongLength(let declared, let received):
            "the body has another length than declared: \(received) bytes, not \(declared)"
        case .outOfDescriptors(let code):
            "no room for another connection (\(systemErrorText(code))); accepting pauses"
        }
    }
}
