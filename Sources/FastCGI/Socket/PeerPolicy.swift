import Glibc

/// The users that may connect over a Unix socket.
///
/// These are the service's own user, root, the owner of the socket's file, and the users and groups
/// named here. TCP does not tell a peer's user; everyone who reaches the port may connect.
public struct PeerPolicy: Sendable {
    /// Further users that may connect.
    public var users: Set<UInt32>

    /// Groups that may connect: a peer is a member if one of them is its process's group.
    public var groups: Set<UInt32>

    /// Users that may always connect.
    var inherent: Set<UInt32>

    public init(users: Set<UInt32> = [], groups: Set<UInt32> = []) {
        self.users = users
        self.groups = groups
        inherent = [geteuid(), 0]
    }

    /// Refuses the peer of a connected Unix socket if it may not connect.
    func check(_ descriptor: borrowing Descriptor) throws(FastCGIError) {
        var peer = Credentials()
        var size = socklen_t(MemoryLayout<Credentials>.size)
        guard unsafe getsockopt(descriptor.number, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
        else {
            throw .system(call: "getsockopt", subject: "a peer", code: errno)
        }
        let isAllowed =
            inherent.contains(peer.user) || users.contains(peer.user)
            || groups.contains(peer.group)
        if !isAllowed { throw .refusedPeer(user: peer.user, group: peer.group) }
    }

    /// The kernel's `struct ucred` of a peer, which Swift's Glibc module does not import.
    private struct Credentials {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }
}
