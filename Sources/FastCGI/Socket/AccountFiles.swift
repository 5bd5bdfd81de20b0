import Glibc

// Own code, because the C library's look-up loads modules, which a static executable cannot do.

/// The number of a user, given as a number or as a name in `/etc/passwd`; nil if there is no such
/// name.
public func userNumber(_ name: String) -> UInt32? {
    UInt32(name) ?? number(of: name, inAccountFile: "/etc/passwd")
}

/// The number of a group, given as a number or as a name in `/etc/group`.
func groupNumber(_ name: String) throws(FastCGIError) -> gid_t {
    guard let number = gid_t(name) ?? number(of: name, inAccountFile: "/etc/group") else {
        throw .unknownGroup(name)
    }
    return number
}

/// The third field of the line whose first is `name`.
private func number(of name: String, inAccountFile path: String) -> UInt32? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { unsafe free(line) }
    while unsafe getline(&line, &capacity, file) >= 0 {
        guard let text = unsafe line else { break }
        let fields = unsafe String(cString: text).split(
            separator: ":", omittingEmptySubsequences: false)
        if fields.count >= 3, fields[0] == name, let number = UInt32(fields[2]) { return number }
    }
    return nil
}
