import Glibc

/// What the kernel tells about this process.
struct ProcessFigures {
    /// Bytes of private memory, without mapped files.
    let privateBytes: Int
    /// Bytes in memory, with mapped files.
    let residentBytes: Int
    /// Open descriptors.
    let descriptors: Int
    /// Seconds of processor time.
    let processorTime: Double

    /// The figures of now; 0 for what the kernel does not tell.
    static func now() -> ProcessFigures {
        let status = (try? readFile("/proc/self/status")) ?? []
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        func bytes(_ name: String) -> Int {
            guard let line = lines.first(where: { $0.hasPrefix(name + ":") }) else { return 0 }
            let words = line.split(whereSeparator: \.isWhitespace)
            return words.count > 1 ? (Int(words[1]) ?? 0) * 1024 : 0
        }
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return ProcessFigures(
            privateBytes: bytes("RssAnon"), residentBytes: bytes("VmRSS"),
            descriptors: openDescriptors(),
            processorTime: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    private static func openDescriptors() -> Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        // Two entries are the folder itself and its parent. One is the descriptor that reads the
        // folder.
        var count = -3
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
