import Glibc

/// Who may connect over a Unix socket.
///
/// Our own user, root, the owner of the socket's file (the one who started us with it), and
/// whoever is named. TCP tells no user; there, whoever reaches the port may.
public struct PeerPolicy: Sendable {
    /// Users allowed besides.
    public var users: Set<UInt32>

    /// Groups whose members are allowed: those with one of them as their process's group.
    public var groups: Set<UInt32>

    /// Users allowed without being named.
    var inherent: Set<UInt32>

    public init(users: Set<UInt32> = [], groups: Set<UInt32> = []) {
        self.users = users
        self.groups = groups
        inherent = [geteuid(), 0]
    }

    /// Refuses the peer of a connected Unix socket unless it may connect.
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

    /// What the kernel tells of a peer: `struct ucred`, which Swift's Glibc module leaves out.
    private struct Credentials {
        var process: Int32 = 0
        var user: UInt32 = 0
        var group: UInt32 = 0
    }
}
