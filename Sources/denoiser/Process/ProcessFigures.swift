import Glibc

/// What the kernel tells of this process.
struct ProcessFigures {
    /// Bytes of memory that are its own, files mapped not counted.
    let privateBytes: Int
    /// Bytes in memory, files mapped counted.
    let residentBytes: Int
    /// Descriptors open.
    let descriptors: Int
    /// Seconds of processor time.
    let processorTime: Double

    /// As it is now; 0 for what the kernel does not tell.
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
        // Two are the folder itself and its parent, one is what we read it by.
        var count = -3
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }
}
