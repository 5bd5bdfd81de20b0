import Glibc
import ModelFiles
import System

/// The path of a file or folder, and what named it.
struct NamedPath: Equatable, Sendable {
    let path: String

    /// The option or variable that named it; nil if it is the default.
    let namer: String?

    /// Takes the option's value, otherwise the variable's, otherwise the default.
    init(_ option: String, _ value: String?, variable: String, standard: String) {
        if let value {
            (path, namer) = (value, option)
        } else if let value = environment(variable) {
            (path, namer) = (value, variable)
        } else {
            (path, namer) = (standard, nil)
        }
    }

    /// Says in one line that nothing is there, and what named it.
    ///
    /// Nil if something is there, or if that cannot be seen.
    func absence(of kind: String) -> String? {
        guard FileIdentity.isAbsent(at: path) else { return nil }
        var status = stat()
        let isLink = unsafe lstat(path, &status) == 0
        let what = isLink ? "this link leads to no \(kind)" : "no such \(kind)"
        return "\(path): \(what)" + (namer.map { " (\($0) names it)" } ?? "")
    }
}
