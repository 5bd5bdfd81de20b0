import Glibc
import System

/// Why a command cannot go on: one line for the user and the exit status (sysexits.h).
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let status: Int32
    /// Whether the same may succeed a moment later.
    var isPassing = false

    /// The user gave something that cannot be used.
    static func usage(_ text: String) -> CommandFailure {
        CommandFailure(description: text, status: 64)
    }

    /// The input is wrong.
    static func data(_ text: String) -> CommandFailure {
        CommandFailure(description: text, status: 65)
    }

    /// A file of the installation is missing or damaged.
    static func configuration(_ text: String, isPassing: Bool = false) -> CommandFailure {
        CommandFailure(description: text, status: 78, isPassing: isPassing)
    }

    /// The socket cannot be served.
    static func socket(_ text: String) -> CommandFailure {
        CommandFailure(description: text, status: 71)
    }

    /// The system gives too little memory.
    static func memory(_ bytes: Int, _ error: SystemError) -> CommandFailure {
        CommandFailure(
            description: "no room for \(bytes >> 20) MiB of memory: \(error); `ulimit -d` and "
                + "`ulimit -v` tell the limits",
            status: 71, isPassing: true)
    }

    /// Another run is in progress; the command may succeed later.
    static func temporary(_ text: String) -> CommandFailure {
        CommandFailure(description: text, status: 75)
    }

    /// The system refused a call.
    static func system(_ text: String, _ code: Int32) -> CommandFailure {
        CommandFailure(
            description: "\(text): \(systemErrorText(code))", status: 74,
            isPassing: isPassing(code))
    }

    /// Whether a call that failed with `code` may succeed a moment later by itself.
    static func isPassing(_ code: Int32) -> Bool {
        [EMFILE, ENFILE, ENOMEM, EIO, ESTALE, EACCES, EAGAIN, ENOBUFS].contains(code)
    }
}

/// Fails if the system does not give `bytes` more of memory.
func requireRoom(_ bytes: Int) throws(CommandFailure) {
    do throws(SystemError) { try requireMemory(bytes) } catch { throw .memory(bytes, error) }
}
