internal import Glibc

/// The folder that `path` stands in.
package func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// The last part of `path`.
package func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// `path` with links followed, so that a rename replaces the file and not a link to it; the file
/// need not exist.
package func resolvedPath(_ path: String) -> String {
    var path = path
    // As many as Linux follows.
    for _ in 0..<40 {
        if let whole = existingPath(path) { return whole }
        guard let target = linkTarget(of: path) else { break }
        path = target.hasPrefix("/") ? target : directory(of: path) + "/" + target
    }
    guard let folder = existingPath(directory(of: path)) else { return path }
    return (folder == "/" ? "" : folder) + "/" + name(of: path)
}

/// The one name without links of what is at `path`; nil if nothing is, or if the name is not UTF-8.
private func existingPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(validatingCString: resolved)
}

/// Where the link at `path` leads; nil if there is no link.
private func linkTarget(of path: String) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    return String(validating: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
