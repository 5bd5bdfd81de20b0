import ArgumentParser
import FastCGI

/// Which socket is served, and who may connect to it.
struct SocketOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A Unix socket to make and listen on.", valueName: "path"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "The socket file's permissions, in octal.", valueName: "mode"))
    var socketMode = SocketChoice.usualMode

    @Option(help: ArgumentHelp("The socket file's group.", valueName: "group"))
    var socketGroup: String?

    @Option(
        help: ArgumentHelp(
            """
            A TCP address to listen on instead, the host in numbers. Whoever reaches it may send \
            requests.
            """, valueName: "host:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "A user besides our own and root who may connect to the Unix socket; repeatable.",
            valueName: "user"))
    var allowUser: [String] = []

    func validate() throws {
        if socket != nil, listen != nil {
            throw ValidationError("Give --socket or --listen, not both.")
        }
        guard let mode = UInt32(socketMode, radix: 8), mode <= 0o777 else {
            throw ValidationError(
                "--socket-mode is \"\(socketMode)\"; it must be octal, such as 0660.")
        }
    }

    /// The options as a value.
    var choice: SocketChoice {
        SocketChoice(
            path: socket, mode: socketMode, group: socketGroup, address: listen,
            allowedUsers: allowUser)
    }
}

/// Which socket is served, and who may connect to it, as a value.
struct SocketChoice: Equatable, Sendable {
    /// The Unix socket's path, if there is one.
    var path: String?
    /// The socket file's permissions, in octal.
    var mode: String
    /// The socket file's group.
    var group: String?
    /// The TCP address, if there is one.
    var address: String?
    /// Users besides the service's own and root.
    var allowedUsers: [String]

    static let usualMode = "0660"

    /// The socket asked for; nil leaves it to whoever starts the service.
    var listener: Listener.Choice? {
        if let address { return .address(address) }
        return path.map { .path($0, mode: UInt32(mode, radix: 8) ?? 0o660, group: group) }
    }

    /// Which of these options have no effect, as a sentence; nil if all have one.
    var idleNote: String? {
        guard path == nil, mode != Self.usualMode || group != nil else { return nil }
        return "--socket-mode and --socket-group count with --socket only; "
            + "whoever makes the socket sets its mode"
    }

    /// Who may connect.
    func peers() throws(CommandFailure) -> PeerPolicy {
        var users: Set<UInt32> = []
        for name in allowedUsers {
            guard let number = userNumber(name) else {
                throw .configuration(
                    "--allow-user: there is no user \"\(name)\" in /etc/passwd; "
                        + "a user's number does too")
            }
            users.insert(number)
        }
        return PeerPolicy(users: users)
    }
}
