internal import Glibc
internal import System

/// Why a model file cannot be read, written or locked; each describes itself in one line.
public enum ModelFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no such file.
    case missing(file: String)
    /// The file is not what it should be: cut short, altered, hostile, or of another kind.
    case damaged(file: String, reason: String)
    /// The system refused an operation, such as "write", with an `errno` code.
    case system(operation: String, file: String, code: Int32)
    /// Another process, or another thread of this one, holds the training lock.
    case busy(file: String)
    /// The file system cannot lock files, so training would not be safe from other processes.
    case lockingUnsupported(file: String, code: Int32)
    /// The live version is not the one that the new version was made from.
    case superseded(file: String, expected: String, live: String)
    /// No kept version of that name.
    case unknownVersion(file: String, version: String)
    /// As many versions are pinned as may be.
    case tooManyPinned(file: String, limit: Int)
    /// The new version is live, but a power cut may still undo it.
    case unconfirmed(file: String, version: String, code: Int32)

    public var description: String { text(naming: { $0 }) }

    /// The same for whoever may not know this machine's folders: files by their last name only.
    public var withoutFolders: String { text(naming: { name(of: $0) }) }

    private func text(naming name: (String) -> String) -> String {
        func shown(_ file: String) -> String { printable(name(file), limit: 4096) }
        return switch self {
        case .missing(let file):
            "\(shown(file)): no such file"
        case .damaged(let file, let reason):
            "\(shown(file)): \(reason)"
        case .system(let operation, let file, let code):
            "\(shown(file)): cannot \(operation): \(systemErrorText(code))"
        case .busy(let file):
            "\(shown(file)): another training run holds the lock"
        case .lockingUnsupported(let file, let code):
            "\(shown(file)): this file system cannot lock files: \(systemErrorText(code))"
        case .superseded(let file, let expected, let live):
            "\(shown(file)): made from version \(expected), but \(live) is live by now"
        case .unknownVersion(let file, let version):
            "\(shown(file)): no version \(printable(version)) is kept"
        case .tooManyPinned(let file, let limit):
            "\(shown(file)): \(limit) versions are pinned already; unpin one first"
        case .unconfirmed(let file, let version, let code):
            "\(shown(file)): version \(version) is live, "
                + "but may not survive a power cut: \(systemErrorText(code))"
        }
    }

    /// Whether the system refused an operation, which it may allow a moment later.
    public var isOfSystem: Bool {
        if case .system = self { return true }
        return false
    }

    /// Whether the file's content is lost: not what it should be, or on a part of the disk that
    /// fails.
    var isLoss: Bool {
        switch self {
        case .damaged: true
        case .system(_, _, let code): code == EIO
        default: false
        }
    }

    /// The error for `errno` as the operation on `file` left it.
    static func fromErrno(_ operation: String, _ file: String) -> ModelFileError {
        let code = errno
        return code == ENOENT
            ? .missing(file: file) : .system(operation: operation, file: file, code: code)
    }
}

/// Text out of a file made fit for one line of a log: no control characters, at most 80 scalars.
func printable(_ text: some StringProtocol, limit: Int = 80) -> String {
    var line = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        if index == limit { return line + "…" }
        let isControl = scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value
        let isLineBreak = scalar.value == 0x2028 || scalar.value == 0x2029
        if isControl || isLineBreak {
            line += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
            line.unicodeScalars.append(scalar)
        }
    }
    return line
}
