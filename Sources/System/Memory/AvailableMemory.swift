/// Bytes of memory this process may use: the machine's, or what its control groups leave of it.
public func availableMemory() -> Int {
    var bytes = Int.max
    if let line = textOfFile("/proc/meminfo")?.split(separator: "\n").first(where: {
        $0.hasPrefix("MemTotal:")
    }), let kibibytes = Int(line.split(separator: " ").dropFirst().first ?? "") {
        bytes = kibibytes * 1024
    }
    for limit in controlGroupFiles("memory.max", olderNamed: "memory.limit_in_bytes", of: "memory")
    {
        if let limit = Int(limit.prefix { $0.isNumber }) { bytes = min(bytes, limit) }
    }
    return bytes
}

/// The contents of a file of every control group this process is in or below, innermost first.
///
/// - Parameters:
///   - name: the file's name in a version 2 hierarchy.
///   - oldName: its name in the version 1 hierarchy of `controller`, if it has one there.
package func controlGroupFiles(
    _ name: String, olderNamed oldName: String? = nil, of controller: String = ""
) -> [String] {
    guard let membership = textOfFile("/proc/self/cgroup") else { return [] }
    var contents: [String] = []
    for line in membership.split(separator: "\n") {
        let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3 else { continue }
        let place: (root: String, file: String)
        if fields[0] == "0" {
            place = ("/sys/fs/cgroup", name)
        } else if let oldName, fields[1].split(separator: ",").contains(Substring(controller)) {
            place = ("/sys/fs/cgroup/\(controller)", oldName)
        } else {
            continue
        }
        var folder = String(fields[2])
        while true {
            if let content = textOfFile("\(place.root)\(folder)/\(place.file)") {
                contents.append(content)
            }
            guard let slash = folder.lastIndex(of: "/"), folder.count > 1 else { break }
            folder = String(folder[..<slash])
        }
    }
    return contents
}
